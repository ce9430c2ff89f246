#include "contact_rows.hpp"

#include <optional>

#include "reelyard/base/format.hpp"
#include "reelyard/journal/ledger.hpp"
#include "reelyard/media/sink_registry.hpp"

namespace reelyard::cli {

std::vector<media::ContactRow> contact_rows(const std::vector<Task>& tasks,
                                            const journal::OutputStore& outputs,
                                            const std::string& video) {
    const auto ledger = journal::Ledger::read(outputs.manifest());
    std::vector<media::ContactRow> rows;
    for (const Task& task : tasks) {
        const journal::Record* record = ledger.find(task.id);
        const bool done = record != nullptr && record->result.state == TaskResult::State::done;
        media::ContactRow row{.id = task.id,
                              .text = task.prompt,
                              .video = std::nullopt,
                              .note = fmt::format("{}, seed {}", to_string(task.size), task.seed)};
        if (done) {
            row.video = outputs.videos() / media::sink_output(video, task.id);
        } else {
            row.note = record != nullptr ? record->result.reason : "not made yet";
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace reelyard::cli
