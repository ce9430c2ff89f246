#pragma once

#include <cstdint>
#include <memory>

#include <c10/core/Device.h>

#include "reelyard/parallel/process_grid.hpp"
#include "reelyard/parallel/tensor_comm.hpp"
#include "reelyard/spec/shard.hpp"

namespace reelyard::parallel {

/// The ranks that make one video together, as its layers see them.
struct VideoGroup {
    std::unique_ptr<TensorComm> tensor;
    std::unique_ptr<TensorComm> ulysses;
    std::unique_ptr<TensorComm> ring;
    /// Ring and Ulysses together: all ranks that hold tokens of one sequence, in their order.
    std::unique_ptr<TensorComm> sequence;
    std::unique_ptr<TensorComm> cfg;
    /// With sharded weights those that keep a part of each block each; otherwise this rank alone.
    std::unique_ptr<TensorComm> shards;
    /// All of them.
    std::unique_ptr<TensorComm> replica;

    /// From the other ranks, by all operations so far.
    [[nodiscard]] std::int64_t received_bytes() const;
    /// None: nothing is recorded.
    [[nodiscard]] trace::Recorder* recorder() const { return replica->recorder(); }
    /// Which part of a sequence's tokens this rank holds.
    [[nodiscard]] Shard tokens() const {
        return {.degree = sequence->size(), .index = sequence->rank()};
    }
    /// Which slice of split weights this rank holds.
    [[nodiscard]] Shard weights() const {
        return {.degree = tensor->size(), .index = tensor->rank()};
    }
};

/// This rank alone.
[[nodiscard]] VideoGroup make_single_rank_group();

/// Collective over all ranks of the grid. \param timeout seconds that one operation may take
/// \param device that this rank's tensors are on: it decides how messages go (choose_backend)
/// \param recorder of what the ranks compute and exchange; outlives the group; none:
/// nothing is recorded
[[nodiscard]] VideoGroup make_video_group(const ProcessGrid& grid,
                                          double timeout,
                                          c10::Device device = c10::DeviceType::CPU,
                                          trace::Recorder* recorder = nullptr);

}  // namespace reelyard::parallel
