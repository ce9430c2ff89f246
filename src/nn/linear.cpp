#include "reelyard/nn/linear.hpp"

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

#include "kernels/kernels.hpp"

namespace reelyard::nn {
namespace {

void run(const kernels::LinearCall& call) {
    call.x.is_cpu() ? kernels::cpu::linear(call) : kernels::reference::linear(call);
}

/// Kernels sum over one input at least; of none, as a rank of many may have, the sum is zero.
void run_checked(const kernels::LinearCall& call) {
    const Linear& layer = call.layer;
    REELYARD_EXPECT(call.x.is_contiguous() && call.x.size(-1) == layer.in_features());
    REELYARD_EXPECT(call.x.scalar_type() == layer.weight.scalar_type());
    if (layer.in_features() > 0) {
        run(call);
        return;
    }
    std::vector<std::int64_t> shape = call.x.sizes().vec();
    shape.back() = 1;
    const at::Tensor x = at::zeros(shape, call.x.options());
    const Linear zero{.weight = at::zeros({layer.out_features(), 1}, layer.weight.options()),
                      .bias = layer.bias};
    run({.x = x,
         .layer = zero,
         .activation = call.activation,
         .out = call.out,
         .stream = call.stream,
         .gate = call.gate});
}

}  // namespace

at::Tensor linear(const at::Tensor& x, const Linear& layer, Activation activation) {
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape.back() = layer.out_features();
    at::Tensor out = at::empty(shape, x.options());
    linear(x, layer, activation, out);
    return out;
}

void linear(const at::Tensor& x, const Linear& layer, Activation activation, at::Tensor& out) {
    REELYARD_EXPECT(out.is_contiguous() && out.size(-1) == layer.out_features());
    run_checked(
        {.x = x, .layer = layer, .activation = activation, .out = out, .stream = {}, .gate = {}});
}

void add_linear(at::Tensor& stream,
                const at::Tensor& x,
                const Linear& layer,
                const at::Tensor& gate) {
    REELYARD_EXPECT(stream.is_contiguous() && stream.scalar_type() == at::kFloat);
    run_checked({.x = x,
                 .layer = layer,
                 .activation = Activation::none,
                 .out = {},
                 .stream = stream,
                 .gate = gate});
}

}  // namespace reelyard::nn
