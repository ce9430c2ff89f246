#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "reelyard/plan/exchange_volume.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/spec/parallel_layout.hpp"
#include "reelyard/spec/shard.hpp"
#include "reelyard/topology/inventory.hpp"

/// What the ranks of a job hold in memory while they encode texts and while they denoise, from
/// numbers alone.
namespace reelyard::plan {

/// Bytes of a component's weights as one rank of a tensor parallel group holds them.
[[nodiscard]] std::int64_t weight_bytes(const ComponentSpec& component,
                                        DType compute,
                                        Shard tensor_parallel);

/// A job as far as memory and exchange go.
struct Workload {
    std::int64_t tokens = 1;         ///< of the largest video
    std::int64_t fewest_tokens = 1;  ///< of the smallest one
    DType compute = DType::bfloat16;
    Guidance guidance = Guidance::on;
    std::int64_t videos = 0;  ///< to make; 0: as many as one likes
};

struct RankMemory {
    std::int64_t weights = 0;       ///< of transformer and video codec
    std::int64_t activations = 0;   ///< of the transformer
    std::int64_t text_encoder = 0;  ///< its weights, freed before the others are loaded

    /// Of the stage that needs more.
    [[nodiscard]] std::int64_t total() const {
        return std::max(weights + activations, text_encoder);
    }
};

/// What a rank of the layout holds. Activations are the tensors of one block that are alive
/// together, in the place where most are, the sequence's stream, and the keys and values of the
/// texts.
[[nodiscard]] RankMemory memory_of(const ModelSpec& model,
                                   const Workload& workload,
                                   const ParallelLayout& layout,
                                   const GridPosition& position);

/// Of the ranks of a video the one that holds most.
[[nodiscard]] RankMemory most_memory(const ModelSpec& model,
                                     const Workload& workload,
                                     const ParallelLayout& layout);

/// The memory of a GPU, or of a node whose ranks compute on its cores, and what is needed there.
struct MemoryUse {
    int node = 0;
    int gpu = -1;  ///< -1: the node's own memory, where its ranks share one copy of the weights
    int ranks = 0;
    std::int64_t needed = 0;
    std::int64_t available = 0;  ///< what a plan may fill: a tenth is left to everything else

    [[nodiscard]] bool fits() const { return available == 0 || needed <= available; }
};

/// Of all memories the one that is filled most. \param inventory with ranks; rank i is at place i
[[nodiscard]] MemoryUse tightest_memory(const ModelSpec& model,
                                        const Workload& workload,
                                        const ParallelLayout& layout,
                                        const topology::Inventory& inventory);

/// "31.2 GiB of the 72.0 GiB that may be filled on GPU 0 of node 0".
[[nodiscard]] std::string memory_text(const MemoryUse& use);

}  // namespace reelyard::plan
