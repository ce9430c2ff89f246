#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace reelyard::nn {

/// Sinusoids of a time: cos(t w_i) then sin(t w_i), w_i = 10000^(-i/h), i < h = width/2; computed
/// in float64. An odd width ends in a zero. \param timestep [B] \returns [B, width] float32 on the
/// device of `timestep`
[[nodiscard]] at::Tensor timestep_embedding(const at::Tensor& timestep, std::int64_t width);

}  // namespace reelyard::nn
