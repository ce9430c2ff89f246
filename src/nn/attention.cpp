#include "reelyard/nn/attention.hpp"

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

#include "kernels/kernels.hpp"

namespace reelyard::nn {

void attention(const at::Tensor& q,
               const at::Tensor& k,
               const at::Tensor& v,
               const at::Tensor& key_bias,
               at::Tensor& out) {
    REELYARD_EXPECT(q.dim() == 4 && q.is_contiguous() && k.is_contiguous() && v.is_contiguous());
    REELYARD_EXPECT(k.sizes() == v.sizes() && k.size(2) == q.size(2) && k.size(3) == q.size(3));
    REELYARD_EXPECT(out.is_contiguous() && out.numel() == q.numel());
    const kernels::AttentionCall call{q, k, v, key_bias, out};
    q.is_cpu() ? kernels::cpu::attention(call) : kernels::reference::attention(call);
}

}  // namespace reelyard::nn
