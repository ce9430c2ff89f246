#pragma once

#include <ATen/core/Tensor.h>

#include "reelyard/nn/attention.hpp"
#include "reelyard/nn/linear.hpp"
#include "reelyard/nn/norm.hpp"

/// The fused operations, each in two or more ways. `reference` is written in LibTorch's operations:
/// it is what the others are compared with, and what runs on a device that has no kernel of its
/// own.
namespace reelyard::nn::kernels {

struct LayerNormCall {
    const at::Tensor& x;
    const at::Tensor& scale;
    const at::Tensor& shift;
    double eps;
    at::Tensor& out;
};

struct RmsRotateCall {
    at::Tensor& x;
    const at::Tensor& weight;
    double eps;
    const RotaryTable* rotary;
    const at::Tensor& mean_square;  ///< [B, L] float32; undefined: that of the rows of x
};

/// With a defined `stream`, stream += gate * product; otherwise out = activation(product).
struct LinearCall {
    const at::Tensor& x;
    const Linear& layer;
    Activation activation;
    at::Tensor out;
    at::Tensor stream;
    at::Tensor gate;
};

struct AttentionCall {
    const at::Tensor& q;
    const at::Tensor& k;
    const at::Tensor& v;
    const at::Tensor& key_bias;
    at::Tensor& out;
    at::Tensor log_sum;              ///< [B, N, L] float32; undefined: not wanted
    std::function<void()> progress;  ///< to be called now and then; empty: not wanted
};

namespace reference {
void layer_norm(const LayerNormCall& call);
void rms_norm_rotate(const RmsRotateCall& call);
[[nodiscard]] at::Tensor sum_of_squares(const at::Tensor& x);
void linear(const LinearCall& call);
void attention(const AttentionCall& call);
}  // namespace reference

namespace cpu {
void layer_norm(const LayerNormCall& call);
void rms_norm_rotate(const RmsRotateCall& call);
[[nodiscard]] at::Tensor sum_of_squares(const at::Tensor& x);
void linear(const LinearCall& call);
void attention(const AttentionCall& call);
}  // namespace cpu

}  // namespace reelyard::nn::kernels
