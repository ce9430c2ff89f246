#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

#include "reelyard/store/weight_set.hpp"

namespace reelyard::store {

/// A tensor inside the bytes of a block.
struct BlockTensor {
    std::string name;
    c10::ScalarType dtype = c10::ScalarType::Float;
    std::vector<std::int64_t> shape = {};  ///< as the model sees it
    bool transposed = false;               ///< lies with its two axes swapped
    std::int64_t offset = 0;               ///< in the block
};

/// The part of one block of a model that a rank keeps. The parts of all ranks of the shard group,
/// one behind the other, are the block.
struct BlockShard {
    int block = 0;
    std::vector<std::int64_t> cuts;    ///< where the ranks' parts begin, and the end: degree + 1
    at::Tensor part;                   ///< uint8 [cuts[i + 1] - cuts[i]] of rank i
    std::vector<BlockTensor> tensors;  ///< what lies in the whole block
};

/// The tensors of a block as views into its gathered bytes.
/// \param whole uint8 [cuts.back()], at a multiple of 64
[[nodiscard]] WeightSet tensors_of(const BlockShard& block,
                                   const std::string& component,
                                   const at::Tensor& whole);

}  // namespace reelyard::store
