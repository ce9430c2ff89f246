#pragma once

#include <array>
#include <cstdint>

#include <ATen/core/Tensor.h>

namespace reelyard::nn {

/// Frames, rows and columns of a patch.
using PatchSize = std::array<std::int64_t, 3>;

/// Cuts a latent into patches, what does not fill a patch at the end left out.
/// \param latent [B, C, f, h, w]
/// \returns [B, L, C p0 p1 p2], patches in the order of frames, rows, columns, channels slowest in
/// each
[[nodiscard]] at::Tensor to_patches(const at::Tensor& latent, const PatchSize& patch);

/// The other way, but with the channels fastest in each patch.
/// \param patches [B, L, p0 p1 p2 C]
/// \param grid patches along frames, rows and columns
/// \returns [B, C, f, h, w]
[[nodiscard]] at::Tensor from_patches(const at::Tensor& patches,
                                      const PatchSize& patch,
                                      const std::array<std::int64_t, 3>& grid);

}  // namespace reelyard::nn
