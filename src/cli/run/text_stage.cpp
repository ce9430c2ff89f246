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

/// What this rank encodes.
pipeline::TextPart own_part(const std::vector<std::string>& texts,
                            const parallel::ProcessGrid& grid) {
    const ParallelLayout& layout = grid.layout();
    if (layout.tensor == 1 && !layout.shard_weights) {
        return pipeline::part_of_rank(texts, grid.world().rank(), grid.world().size());
    }
    return grid.is_spare() ? pipeline::TextPart{}
                           : pipeline::part_of_place(texts, layout, grid.position());
}

}  // namespace

double encode_missing_texts(const parallel::ProcessGrid& grid,
                            const parallel::VideoGroup& group,
                            ModelSource& model,
                            const std::vector<Task>& tasks,
                            const pipeline::ConditioningCache& cache) {
    const mpi::Communicator& world = grid.world();
    const auto texts = missing_texts(world, tasks, cache);
    if (texts.empty()) {
        return 0.0;
    }
    const Stopwatch watch;
    const trace::Span span(model.use().recorder, "texts");
    const auto conditioner = model.family().make_conditioner(
        model.file().config(),
        model.load_part("text_encoder", grid.slice(), grid.block_part()),
        model.use().dtype,
        group);
    const auto part = own_part(texts, grid);
    mpi::together(world, [&] { pipeline::encode_texts(part, *conditioner, group, cache); });
    log::info("{} text{} encoded in {}",
              texts.size(),
              texts.size() == 1 ? "" : "s",
              format_seconds(watch.seconds()));
    return watch.seconds();
}

}  // namespace reelyard::cli
