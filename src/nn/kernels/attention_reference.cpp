#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "kernels/kernels.hpp"

namespace reelyard::nn::kernels::reference {
namespace {

constexpr std::int64_t queries_at_once = 512;

/// With what merging needs, for a run of queries so that logits stay small.
void attend_with_log_sum(const AttentionCall& call) {
    const at::Tensor q = call.q.transpose(1, 2).to(at::kFloat);
    const at::Tensor k = call.k.transpose(1, 2).to(at::kFloat);
    const at::Tensor v = call.v.transpose(1, 2).to(at::kFloat);
    const at::Tensor out = call.out.view(call.q.sizes()).transpose(1, 2);
    const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(3)));
    for (std::int64_t first = 0; first < q.size(2); first += queries_at_once) {
        const std::int64_t count = std::min(queries_at_once, q.size(2) - first);
        const at::Tensor logits =
            at::matmul(q.narrow(2, first, count), k.transpose(2, 3)).mul_(scale);
        call.log_sum.narrow(2, first, count).copy_(at::logsumexp(logits, {-1}));
        out.narrow(2, first, count).copy_(at::matmul(at::softmax(logits, -1), v));
    }
}

}  // namespace

void attention(const AttentionCall& call) {
    if (call.log_sum.defined()) {
        attend_with_log_sum(call);
        return;
    }
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
