#pragma once

#include <functional>

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

/// The same over some of the keys, so that what came of others can be merged with it.
/// \param out [B, L, N K] float32, contiguous; written
/// \param log_sum [B, N, L] float32, contiguous; written: log of the sum of the exponentials of
/// the logits, -infinity when there are no keys
/// \param progress called now and then on CPUs, by this thread: lets others' messages get on
void partial_attention(const at::Tensor& q,
                       const at::Tensor& k,
                       const at::Tensor& v,
                       at::Tensor& out,
                       at::Tensor& log_sum,
                       const std::function<void()>& progress = {});

/// Merges what two disjoint sets of keys gave, as if they had been one (log-sum-exp; Liu et al.
/// 2023, arXiv:2310.01889). In place: `out` and `log_sum` become those of the union.
void merge_attention(at::Tensor& out,
                     at::Tensor& log_sum,
                     const at::Tensor& other_out,
                     const at::Tensor& other_log_sum);

}  // namespace reelyard::nn
