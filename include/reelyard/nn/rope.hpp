#pragma once

#include <array>
#include <cstdint>

#include "reelyard/nn/norm.hpp"

namespace reelyard::nn {

/// Rotary embedding over a grid of tokens: a head's pairs are shared out to time, height and width
/// (c - 2 floor(c/3), floor(c/3), floor(c/3) of c pairs), each axis with its own frequencies
/// 10000^(-2j/n), n being the axis' width in elements. Computed in float64.
/// \param head_width even
/// \param grid frames, rows, columns of tokens; the last varies fastest
/// \returns tables for L = product of the grid, on the CPU
[[nodiscard]] RotaryTable rotary_table(std::int64_t head_width,
                                       const std::array<std::int64_t, 3>& grid);

}  // namespace reelyard::nn
