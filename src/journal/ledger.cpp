#include "reelyard/journal/ledger.hpp"

#include <utility>

#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"

namespace reelyard::journal {

Ledger Ledger::read(const std::filesystem::path& path) {
    Ledger ledger;
    if (!std::filesystem::exists(path)) {
        return ledger;
    }
    const std::string text = read_text_file(path);
    std::size_t begin = 0;
    int number = 1;
    for (auto end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
        const std::string line = text.substr(begin, end - begin);
        try {
            ledger.put(record_from_json(line));
        } catch (const Error& error) {
            fail(error.kind(), "{}:{}: {}", path.string(), number, error.message());
        }
        begin = end + 1;
        ++number;
    }
    return ledger;
}

const Record* Ledger::find(const std::string& id) const {
    const auto found = position_.find(id);
    return found == position_.end() ? nullptr : &records_[found->second];
}

void Ledger::put(Record record) {
    const auto [entry, is_new] = position_.try_emplace(record.task.id, records_.size());
    if (is_new) {
        records_.push_back(std::move(record));
    } else {
        records_[entry->second] = std::move(record);
    }
}

}  // namespace reelyard::journal
