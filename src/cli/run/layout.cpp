#include "layout.hpp"

#include <algorithm>
#include <cstddef>
#include <limits>

#include <nlohmann/json.hpp>

#include "reelyard/base/log.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/pipeline/denoise_stage.hpp"
#include "reelyard/topology/placement.hpp"

namespace reelyard::cli {
namespace {

/// Says what was chosen, and what is doubtful about it.
void tell(const plan::LayoutChoice& choice) {
    if (!choice.reason.empty()) {
        log::info("layout chosen: {}, {}; memory: {}",
                  to_string(choice.layout),
                  choice.reason,
                  plan::memory_text(choice.memory));
    }
    if (!choice.memory.fits()) {
        log::warning("the layout may not fit in memory: {}", plan::memory_text(choice.memory));
    }
}

}  // namespace

plan::Workload workload_of(const std::vector<Task>& tasks,
                           const ModelSpec& model,
                           const jobs::JobOptions& job) {
    plan::Workload workload{.fewest_tokens = std::numeric_limits<std::int64_t>::max(),
                            .compute = job.model.dtype,
                            .guidance = plan::Guidance::off,
                            .videos = static_cast<std::int64_t>(tasks.size())};
    for (const Task& task : tasks) {
        const std::int64_t tokens = model.tokens_of(task.size);
        workload.tokens = std::max(workload.tokens, tokens);
        workload.fewest_tokens = std::min(workload.fewest_tokens, tokens);
        if (pipeline::uses_guidance(task)) {
            workload.guidance = job.sequence_batch ? plan::Guidance::batched : plan::Guidance::on;
        }
    }
    return workload;
}

plan::LayoutWish wish_of(const jobs::JobOptions& job) {
    const jobs::ParallelOptions& options = job.parallel;
    return {.cfg = options.cfg == 0 && job.sequence_batch ? 1 : options.cfg,
            .ring = options.ring,
            .ulysses = options.ulysses,
            .tensor = options.tensor,
            .shard_weights = options.shard_weights,
            .goal = options.goal == "latency" ? plan::Goal::latency : plan::Goal::throughput};
}

void tell_of_sequence_batch(const jobs::JobOptions& job, const ParallelLayout& layout) {
    if (job.sequence_batch && layout.cfg > 1) {
        log::info(
            "generate.sequence_batch is left out: with parallel.cfg = 2 each rank computes one of "
            "the two branches");
    }
}

topology::Inventory in_order(const topology::Inventory& inventory,
                             const std::vector<int>& placement) {
    topology::Inventory ordered = inventory;
    ordered.ranks.clear();
    std::vector<bool> is_placed(inventory.ranks.size(), false);
    for (const int rank : placement) {
        ordered.ranks.push_back(inventory.ranks.at(static_cast<std::size_t>(rank)));
        is_placed.at(static_cast<std::size_t>(rank)) = true;
    }
    for (std::size_t rank = 0; rank < inventory.ranks.size(); ++rank) {
        if (!is_placed[rank]) {
            ordered.ranks.push_back(inventory.ranks[rank]);
        }
    }
    return ordered;
}

PlacedLayout choose_layout(const mpi::Communicator& world,
                           const topology::Inventory& inventory,
                           const jobs::JobOptions& options,
                           const PreparedJob& job,
                           const ModelSource& model) {
    const std::string degrees = mpi::on_root(world, [&] {
        const plan::Workload workload = workload_of(job.tasks, model.spec(), options);
        const plan::LayoutChoice choice = plan::choose_layout(
            {.model = model.spec(), .inventory = inventory, .workload = workload},
            wish_of(options));
        tell(choice);
        tell_of_sequence_batch(options, choice.layout);
        const ParallelLayout& layout = choice.layout;
        return nlohmann::json{
            layout.replicas, layout.cfg, layout.ring, layout.ulysses, layout.tensor}
            .dump();
    });
    const auto numbers = nlohmann::json::parse(degrees).get<std::vector<int>>();
    ParallelLayout layout{.replicas = numbers.at(0),
                          .cfg = numbers.at(1),
                          .ring = numbers.at(2),
                          .ulysses = numbers.at(3),
                          .tensor = numbers.at(4),
                          .shard_weights = options.parallel.shard_weights};
    if (layout.shard_weights && layout.same_weights_size() == 1) {
        log::info(
            "parallel.shard_weights: no two ranks of a video hold the same weights, so that each "
            "keeps its own whole");
        layout.shard_weights = false;
    }
    return {.layout = layout, .ranks = topology::place_ranks(inventory, layout)};
}

}  // namespace reelyard::cli
