#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace reelyard::models::wan {

/// The rows of a text that the cross attention sees, the padding folded into one.
///
/// Rows of padding are zeros, so after the text MLP they are one and the same key and value, and k
/// of them in a softmax equal one whose logit is raised by log k.
struct FoldedContext {
    at::Tensor rows;      ///< [B, M, D], of the context's type
    at::Tensor key_bias;  ///< [B, M] float32, what is added to the logits of a row; undefined: 0
};

/// \param context [B, L, D], the texts' rows, zeros where one is shorter than another
/// \param total rows of every sample once padded with zeros, at least L
[[nodiscard]] FoldedContext fold_padding(const at::Tensor& context, std::int64_t total);

}  // namespace reelyard::models::wan
