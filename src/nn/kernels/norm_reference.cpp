#include <ATen/ATen.h>

#include "kernels/kernels.hpp"

namespace reelyard::nn::kernels::reference {

void layer_norm(const LayerNormCall& call) {
    const at::Tensor normal = at::layer_norm(call.x, {call.x.size(2)}, {}, {}, call.eps);
    call.out.copy_(normal * call.scale.unsqueeze(1) + call.shift.unsqueeze(1));
}

void rms_norm_rotate(const RmsRotateCall& call) {
    const at::Tensor wide = call.x.to(at::kFloat).flatten(2);
    const at::Tensor mean_square =
        call.mean_square.defined() ? call.mean_square.unsqueeze(-1) : wide.square().mean(-1, true);
    const at::Tensor inverse = at::rsqrt(mean_square + call.eps);
    at::Tensor y = ((wide * inverse).to(call.x.scalar_type()) * call.weight).view(call.x.sizes());
    if (call.rotary != nullptr) {
        const at::Tensor swapped = y.unflatten(-1, {-1, 2}).flip(-1).flatten(-2);
        y = y * call.rotary->cosine.unsqueeze(1) + swapped * call.rotary->sine.unsqueeze(1);
    }
    call.x.copy_(y);
}

at::Tensor sum_of_squares(const at::Tensor& x) {
    return x.to(at::kFloat).flatten(2).square().sum(-1);
}

}  // namespace reelyard::nn::kernels::reference
