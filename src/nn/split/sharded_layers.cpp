#include "reelyard/nn/split/sharded_layers.hpp"

#include <ATen/ATen.h>

namespace reelyard::nn {

void sharded_rms_norm_rotate(at::Tensor& x,
                             const at::Tensor& weight,
                             double eps,
                             const RotaryTable* rotary,
                             std::int64_t width,
                             parallel::TensorComm& ranks) {
    if (ranks.size() == 1) {
        rms_norm_rotate(x, weight, eps, rotary);
        return;
    }
    const at::Tensor squares = sum_of_squares(x);
    ranks.all_reduce(squares);
    rms_norm_rotate(x, weight, eps, rotary, squares / static_cast<double>(width));
}

void add_sharded_linear(at::Tensor& stream,
                        const at::Tensor& x,
                        const Linear& layer,
                        const at::Tensor& gate,
                        parallel::TensorComm& ranks) {
    if (ranks.size() == 1) {
        add_linear(stream, x, layer, gate);
        return;
    }
    const at::Tensor product = linear(x, {.weight = layer.weight, .bias = {}});
    ranks.all_reduce(product);
    const at::Tensor sum =
        layer.bias.defined() ? product.to(at::kFloat) + layer.bias : product.to(at::kFloat);
    if (gate.defined()) {
        stream.addcmul_(sum, gate.unsqueeze(1));
    } else {
        stream.add_(sum);
    }
}

}  // namespace reelyard::nn
