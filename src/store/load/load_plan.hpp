#pragma once

#include <cstdint>
#include <vector>

#include "reelyard/spec/model_spec.hpp"
#include "reelyard/store/block_shard.hpp"
#include "reelyard/store/store_index.hpp"
#include "reelyard/store/weight_loader.hpp"

namespace reelyard::store {

/// A run of elements of a stored tensor, and where they go.
struct Part {
    const StoredTensor* tensor = nullptr;  ///< in the index
    DType to = DType::float32;             ///< type in memory
    std::int64_t from = 0;                 ///< first byte, in the tensor as it is stored
    std::int64_t bytes = 0;                ///< as stored
    std::int64_t target = 0;               ///< first byte in memory
    /// Whether it lies behind the part before it, on disk as in memory, with only padding between.
    bool follows = false;

    [[nodiscard]] bool is_converted() const { return tensor->dtype != to; }
    [[nodiscard]] std::int64_t target_bytes() const {
        return bytes / size_of(tensor->dtype) * size_of(to);
    }
    [[nodiscard]] std::int64_t slab_begin() const { return tensor->offset + from; }
};

/// Memory that several ranks need the same content of. What is not converted keeps its distance
/// from page boundaries, so that what is aligned on disk is so in memory.
struct Segment {
    std::vector<Part> parts = {};  ///< ascending in the slab and in memory
    std::int64_t bytes = 0;        ///< of memory

    [[nodiscard]] std::int64_t stored_bytes() const;
};

enum class Holder {
    all,       ///< the segment that every rank holds
    own_shard  ///< the segment of this rank's shard
};

/// Where one tensor, or this rank's slice of it, lies in memory.
struct TensorPlace {
    const StoredTensor* tensor = nullptr;
    DType dtype = DType::float32;
    std::vector<std::int64_t> shape = {};  ///< as the model sees it
    Holder holder = Holder::all;
    std::int64_t offset = 0;  ///< in the segment
};

/// One block of sharded weights, and where this rank's part of it lies in the own segment.
struct BlockPlace {
    int block = 0;
    std::vector<std::int64_t> cuts = {};
    std::vector<BlockTensor> tensors = {};
    std::int64_t offset = 0;
};

/// What is read of a slab for this rank and where it lands in memory.
struct LoadPlan {
    Segment common;     ///< the same on all ranks
    Segment own_shard;  ///< the same on all ranks with the same shards
    std::vector<TensorPlace> tensors = {};
    std::vector<BlockPlace> blocks = {};
};

/// \param stored outlives the plan
/// \throws Error (input) when the store lacks a wanted tensor or has it in another shape
[[nodiscard]] LoadPlan plan_load(const StoredComponent& stored,
                                 const ComponentSpec& spec,
                                 const LoadOptions& options);

/// The parts of a segment that lie in [begin, end) of its memory. Both are multiples of a page, or
/// the segment's end.
[[nodiscard]] std::vector<Part> parts_within(const Segment& segment,
                                             std::int64_t begin,
                                             std::int64_t end);

}  // namespace reelyard::store
