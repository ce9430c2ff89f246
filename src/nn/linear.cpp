#include "reelyard/nn/linear.hpp"

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

#include "kernels/kernels.hpp"

namespace reelyard::nn {
namespace {

void run(const kernels::LinearCall& call) {
    const Linear& layer = call.layer;
    REELYARD_EXPECT(call.x.is_contiguous() && call.x.size(-1) == layer.in_features());
    REELYARD_EXPECT(call.x.scalar_type() == layer.weight.scalar_type());
    call.x.is_cpu() ? kernels::cpu::linear(call) : kernels::reference::linear(call);
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
    run({.x = x, .layer = layer, .activation = activation, .out = out, .stream = {}, .gate = {}});
}

void add_linear(at::Tensor& stream,
                const at::Tensor& x,
                const Linear& layer,
                const at::Tensor& gate) {
    REELYARD_EXPECT(stream.is_contiguous() && stream.scalar_type() == at::kFloat);
    run({.x = x,
         .layer = layer,
         .activation = Activation::none,
         .out = {},
         .stream = stream,
         .gate = gate});
}

}  // namespace reelyard::nn
