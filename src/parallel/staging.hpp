#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/device/pinned_memory.hpp"

namespace reelyard::parallel {

/// Host memory that the tensors of a GPU pass through on their way to other ranks. It is pinned,
/// which takes longer than copying: what was used once is kept for the next message.
class Staging {
public:
    struct Block {
        at::Tensor memory;  ///< [bytes] uint8, CPU
        std::unique_ptr<device::PinnedMemory> pinned;

        /// Its beginning, with the shape and the type of `like`.
        [[nodiscard]] at::Tensor as(const at::Tensor& like) const;
    };

    /// Room for what `like`, on a GPU, holds. \throws Error (resources) when the system refuses
    [[nodiscard]] std::unique_ptr<Block> take(const at::Tensor& like);
    void give_back(std::unique_ptr<Block> block);

private:
    std::vector<std::unique_ptr<Block>> free_;  ///< smallest first
};

}  // namespace reelyard::parallel
