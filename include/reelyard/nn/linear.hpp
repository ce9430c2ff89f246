#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

namespace reelyard::nn {

/// y = x W^T + b. Without inputs y is b.
struct Linear {
    at::Tensor weight;  ///< [out, in]; row-major, or a transposed view of a row-major [in, out]
    at::Tensor bias;    ///< [out], or undefined

    [[nodiscard]] std::int64_t out_features() const { return weight.size(0); }
    [[nodiscard]] std::int64_t in_features() const { return weight.size(1); }
};

enum class Activation { none, gelu_tanh };

/// The product is accumulated in float32 and rounded once, after the bias; the activation is
/// computed in float32 from the rounded value. \param x [..., in] of the weight's type, contiguous
/// \returns [..., out] of the same type
[[nodiscard]] at::Tensor linear(const at::Tensor& x,
                                const Linear& layer,
                                Activation activation = Activation::none);

/// The same into memory that is used again.
/// \param out [..., out] contiguous
void linear(const at::Tensor& x, const Linear& layer, Activation activation, at::Tensor& out);

/// In place: stream += gate * linear(x), the sum in float32.
/// \param stream [B, L, out] float32, contiguous
/// \param x [B, L, in] of the weight's type, contiguous
/// \param gate [B, out] or [1, out] float32; undefined: 1
void add_linear(at::Tensor& stream,
                const at::Tensor& x,
                const Linear& layer,
                const at::Tensor& gate);

}  // namespace reelyard::nn
