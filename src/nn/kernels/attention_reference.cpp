#include <cmath>

#include <ATen/ATen.h>

#include "kernels/kernels.hpp"

namespace reelyard::nn::kernels::reference {

void attention(const AttentionCall& call) {
    std::optional<at::Tensor> mask;
    if (call.key_bias.defined()) {
        const std::int64_t keys = call.k.size(1);
        mask = call.key_bias.to(call.q.scalar_type()).view({-1, 1, 1, keys});
        mask = mask->expand({call.q.size(0), call.q.size(2), call.q.size(1), keys});
    }
    const at::Tensor y = at::scaled_dot_product_attention(
        call.q.transpose(1, 2), call.k.transpose(1, 2), call.v.transpose(1, 2), mask);
    call.out.copy_(y.transpose(1, 2).flatten(2));
}

}  // namespace reelyard::nn::kernels::reference
