#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "reelyard/spec/model_spec.hpp"
#include "reelyard/store/store_index.hpp"
#include "reelyard/store/weight_loader.hpp"

namespace reelyard::store {

/// A run of slab bytes, and where in the buffer it goes.
struct SlabRange {
    std::int64_t slab_begin = 0;
    std::int64_t buffer_begin = 0;
    std::int64_t bytes = 0;
};

/// One wanted tensor.
struct TensorPlace {
    const StoredTensor* tensor = nullptr;  ///< in the index
    Precision precision = Precision::compute;
    std::int64_t buffer_offset = 0;
};

/// What is read of a slab and where it lands in memory. A range keeps its distance from page
/// boundaries, so that what is aligned on disk is so in memory.
struct LoadPlan {
    std::vector<SlabRange> ranges;     ///< ascending in the slab and in the buffer
    std::vector<TensorPlace> tensors;  ///< in the order of the buffer
    std::int64_t buffer_bytes = 0;
    std::int64_t used_bytes = 0;  ///< of the tensors alone
};

/// \param stored outlives the plan
/// \throws Error (input) when the store lacks a wanted tensor or has it in another shape
[[nodiscard]] LoadPlan plan_load(const StoredComponent& stored,
                                 const ComponentSpec& spec,
                                 const LoadOptions& options);

/// Cuts the buffer into one part per rank, of whole pages and about equal: `ranks` + 1 offsets.
[[nodiscard]] std::vector<std::int64_t> cut_buffer(const LoadPlan& plan, int ranks);

/// The parts of the plan's ranges that lie in [begin, end) of the buffer.
[[nodiscard]] std::vector<SlabRange> ranges_within(const LoadPlan& plan,
                                                   std::int64_t begin,
                                                   std::int64_t end);

}  // namespace reelyard::store
