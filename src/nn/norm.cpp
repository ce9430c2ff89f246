#include "reelyard/nn/norm.hpp"

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

#include "kernels/kernels.hpp"

namespace reelyard::nn {

void layer_norm(const at::Tensor& x,
                const at::Tensor& scale,
                const at::Tensor& shift,
                double eps,
                at::Tensor& out) {
    REELYARD_EXPECT(x.dim() == 3 && x.is_contiguous() && out.is_contiguous());
    REELYARD_EXPECT(out.sizes() == x.sizes() && scale.size(-1) == x.size(2));
    const kernels::LayerNormCall call{x, scale, shift, eps, out};
    x.is_cpu() ? kernels::cpu::layer_norm(call) : kernels::reference::layer_norm(call);
}

void rms_norm_rotate(at::Tensor& x,
                     const at::Tensor& weight,
                     double eps,
                     const RotaryTable* rotary,
                     const at::Tensor& mean_square) {
    REELYARD_EXPECT(x.dim() == 4 && x.is_contiguous());
    REELYARD_EXPECT(weight.numel() == x.size(2) * x.size(3));
    REELYARD_EXPECT(rotary == nullptr || rotary->cosine.numel() == x.size(1) * x.size(3));
    REELYARD_EXPECT(!mean_square.defined() ||
                    (mean_square.is_contiguous() && mean_square.numel() == x.size(0) * x.size(1)));
    const kernels::RmsRotateCall call{x, weight, eps, rotary, mean_square};
    x.is_cpu() ? kernels::cpu::rms_norm_rotate(call) : kernels::reference::rms_norm_rotate(call);
}

at::Tensor sum_of_squares(const at::Tensor& x) {
    REELYARD_EXPECT(x.dim() == 4 && x.is_contiguous());
    return x.is_cpu() ? kernels::cpu::sum_of_squares(x) : kernels::reference::sum_of_squares(x);
}

}  // namespace reelyard::nn
