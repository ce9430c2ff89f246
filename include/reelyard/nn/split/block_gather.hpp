#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/parallel/tensor_comm.hpp"

namespace reelyard::nn {

/// The weights of a stack of blocks, shared out over the ranks of a group: each keeps a part of
/// every block, and a block is whole on all of them while it is used (Zhao et al. 2023,
/// arXiv:2304.11277). Two buffers take turns: while one block computes with the first, the next is
/// gathered into the second, and behind the last block the first one of the next pass.
class BlockGather {
public:
    /// One block's bytes.
    struct Block {
        std::vector<std::int64_t> cuts;  ///< where the ranks' parts begin, and the end
        at::Tensor own;                  ///< uint8, this rank's part
    };

    /// \param blocks in the order in which they are used, one at least \param ranks outlives this
    BlockGather(std::vector<Block> blocks, parallel::TensorComm& ranks);
    BlockGather(const BlockGather&) = delete;
    BlockGather& operator=(const BlockGather&) = delete;
    /// Waits for the gather under way, so that no message is left behind.
    ~BlockGather();

    /// Waits until a block is whole, and starts to gather the one behind it. Collective; all ranks
    /// use the blocks in their order, again and again, but may begin again at the first.
    /// \returns uint8 [bytes of the block], at a multiple of 64; unchanged until the next call
    [[nodiscard]] at::Tensor take(std::size_t index);

    /// Moves the gather under way on, without waiting: MPI carries large messages only while it is
    /// called.
    void progress();

    /// Bytes of the parts kept and of both buffers.
    [[nodiscard]] std::int64_t held_bytes() const;

private:
    [[nodiscard]] at::Tensor next_buffer(std::size_t index) const;
    void start(std::size_t index);

    std::vector<Block> blocks_;
    parallel::TensorComm& ranks_;
    std::array<at::Tensor, 2> buffers_;  ///< uint8, as large as the largest block
    std::size_t next_ = 0;               ///< buffer of the gather under way
    std::size_t under_way_;              ///< block that is gathered; as many as there are: none
    parallel::Pending pending_;
};

}  // namespace reelyard::nn
