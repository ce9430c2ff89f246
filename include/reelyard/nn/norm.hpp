#pragma once

#include <ATen/core/Tensor.h>

namespace reelyard::nn {

/// LayerNorm over the last axis, computed in float32, times `scale` plus `shift`.
/// \param x [B, L, D] float32, contiguous
/// \param scale [B, D] or [1, D] float32
/// \param shift like `scale`
/// \param out [B, L, D] float32 or bfloat16, contiguous; written (memory that is used again)
void layer_norm(const at::Tensor& x,
                const at::Tensor& scale,
                const at::Tensor& shift,
                double eps,
                at::Tensor& out);

/// Angles of a rotary embedding, as the kernels want them.
struct RotaryTable {
    at::Tensor cosine;  ///< [L, K] float32, every value twice
    at::Tensor sine;    ///< [L, K] float32, every value twice, the first of the two negated
};

/// In place: RMSNorm over all heads together, computed in float32, then (with a table) the rotation
/// of neighbouring pairs.
/// \param x [B, L, N, K] float32 or bfloat16, contiguous
/// \param weight [N K] float32
/// \param mean_square [B, L] float32, the mean of x^2 over rows of which x holds some heads only;
/// undefined: x holds them all
void rms_norm_rotate(at::Tensor& x,
                     const at::Tensor& weight,
                     double eps,
                     const RotaryTable* rotary,
                     const at::Tensor& mean_square = {});

/// Sum of x^2 over all heads. \param x [B, L, N, K] float32 or bfloat16, contiguous
/// \returns [B, L] float32
[[nodiscard]] at::Tensor sum_of_squares(const at::Tensor& x);

}  // namespace reelyard::nn
