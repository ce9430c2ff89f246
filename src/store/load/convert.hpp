#pragma once

#include <cstddef>
#include <span>

#include "reelyard/spec/dtype.hpp"

namespace reelyard::store {

/// Converts elements, rounding to nearest even. Both spans hold the same number of elements and
/// begin at a multiple of their size. On the calling thread alone.
void convert(std::span<const std::byte> from,
             DType from_type,
             std::span<std::byte> to,
             DType to_type);

}  // namespace reelyard::store
