#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>

namespace reelyard::samplers {

/// Standard normal noise of `shape`, float32, on the CPU: the bits of torch.randn with a CPU
/// generator seeded with `seed`, and so of diffusers' randn_tensor.
[[nodiscard]] at::Tensor initial_noise(const std::vector<std::int64_t>& shape, std::uint64_t seed);

}  // namespace reelyard::samplers
