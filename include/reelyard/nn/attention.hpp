#pragma once

#include <ATen/core/Tensor.h>

namespace reelyard::nn {

/// softmax(q k^T / sqrt(K) + key_bias) v, no mask, softmax in float32.
/// \param q [B, L, N, K] \param k [B, M, N, K] \param v [B, M, N, K], all contiguous and of one
/// type \param key_bias [B, M] float32, added to the logits of a key; undefined: none \param out
/// [B, L, N K] of the same type, contiguous; written (memory that is used again)
void attention(const at::Tensor& q,
               const at::Tensor& k,
               const at::Tensor& v,
               const at::Tensor& key_bias,
               at::Tensor& out);

}  // namespace reelyard::nn
