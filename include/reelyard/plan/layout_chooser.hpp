#pragma once

#include <string>
#include <vector>

#include "reelyard/plan/memory_model.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/spec/parallel_layout.hpp"
#include "reelyard/topology/inventory.hpp"

namespace reelyard::plan {

enum class Goal {
    throughput,  ///< all videos soonest: small groups, larger ones for fewer videos than ranks
    latency,     ///< one video soonest: groups as large as there are ranks for
};

/// What the user asks for; 0 where it is left open.
struct LayoutWish {
    int cfg = 0;
    int ring = 0;
    int ulysses = 0;
    int tensor = 0;
    bool shard_weights = false;  ///< not left open
    Goal goal = Goal::throughput;

    /// Whether nothing is left open.
    [[nodiscard]] bool is_complete() const { return cfg * ring * ulysses * tensor > 0; }
};

struct LayoutChoice {
    ParallelLayout layout;
    MemoryUse memory;         ///< where it is tightest
    std::string reason = {};  ///< in words; empty when nothing was left open
};

/// What there is to choose for. \param inventory with ranks; rank i is at place i
struct Site {
    const ModelSpec& model;
    const topology::Inventory& inventory;
    const Workload& workload;
};

/// Of the layouts that the wish leaves open the one that suits its goal best: of those that fit in
/// memory, else the one that comes closest to it. Among groups of one size the fewest ranks share
/// weights, the branches of the guidance come first, then Ulysses within a node, then the ring.
/// \throws Error (usage) with the nearest layouts that work when there is none
[[nodiscard]] LayoutChoice choose_layout(const Site& site, const LayoutWish& wish);

/// The layouts that can be and fit in memory, those first that differ least from `wanted`.
[[nodiscard]] std::vector<ParallelLayout> nearest_layouts(const Site& site,
                                                          const ParallelLayout& wanted,
                                                          std::size_t count);

/// "; nearest that work: 2 replicas of ..., ..." or "".
[[nodiscard]] std::string nearest_text(const Site& site, const ParallelLayout& wanted);

}  // namespace reelyard::plan
