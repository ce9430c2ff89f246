#include "text_stage.hpp"

#include <string>

#include <nlohmann/json.hpp>

#include "reelyard/base/clock.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/pipeline/text_stage.hpp"
#include "reelyard/trace/span.hpp"

namespace reelyard::cli {
namespace {

/// Rank 0 looks, so that all ranks agree on what is missing.
std::vector<std::string> missing_texts(const mpi::Communicator& world,
                                       const std::vector<Task>& tasks,
                                       const pipeline::ConditioningCache& cache) {
    const std::string found = mpi::on_root(world, [&] {
        auto missing = nlohmann::json::array();
        for (const std::string& text : pipeline::distinct_texts(tasks)) {
            if (!cache.contains(text)) {
                missing.push_back(text);
            }
        }
        return missing.dump();
    });
    return nlohmann::json::parse(found).get<std::vector<std::string>>();
}

}  // namespace

double encode_missing_texts(const mpi::Communicator& world,
                            ModelSource& model,
                            const std::vector<Task>& tasks,
                            const pipeline::ConditioningCache& cache) {
    const auto texts = missing_texts(world, tasks, cache);
    if (texts.empty()) {
        return 0.0;
    }
    const Stopwatch watch;
    const trace::Span span(model.use().recorder, "texts");
    const auto conditioner = model.family().make_conditioner(
        model.file().config(), model.load("text_encoder"), model.use().dtype);
    const auto mine = pipeline::texts_of_rank(texts, world.rank(), world.size());
    mpi::together(world, [&] { pipeline::encode_texts(mine, *conditioner, cache); });
    log::info("{} text{} encoded in {}",
              texts.size(),
              texts.size() == 1 ? "" : "s",
              format_seconds(watch.seconds()));
    return watch.seconds();
}

}  // namespace reelyard::cli
