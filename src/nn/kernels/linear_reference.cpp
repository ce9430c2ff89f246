#include <ATen/ATen.h>

#include "kernels/kernels.hpp"

namespace reelyard::nn::kernels::reference {

void linear(const LinearCall& call) {
    at::Tensor y = at::linear(call.x, call.layer.weight, call.layer.bias);
    if (call.activation == Activation::gelu_tanh) {
        y = at::gelu(y, "tanh");
    }
    if (!call.stream.defined()) {
        at::Tensor out = call.out;
        out.copy_(y);
        return;
    }
    at::Tensor stream = call.stream;
    const at::Tensor wide = y.to(at::kFloat);
    stream.add_(call.gate.defined() ? wide * call.gate.unsqueeze(1) : wide);
}

}  // namespace reelyard::nn::kernels::reference
