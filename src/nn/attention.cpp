#include "reelyard/nn/attention.hpp"

#include <limits>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

#include "kernels/kernels.hpp"

namespace reelyard::nn {
namespace {

void expect_shapes(const at::Tensor& q,
                   const at::Tensor& k,
                   const at::Tensor& v,
                   const at::Tensor& out) {
    REELYARD_EXPECT(q.dim() == 4 && q.is_contiguous() && k.is_contiguous() && v.is_contiguous());
    REELYARD_EXPECT(k.sizes() == v.sizes() && k.size(2) == q.size(2) && k.size(3) == q.size(3));
    REELYARD_EXPECT(out.is_contiguous() && out.numel() == q.numel());
}

}  // namespace

void attention(const at::Tensor& q,
               const at::Tensor& k,
               const at::Tensor& v,
               const at::Tensor& key_bias,
               at::Tensor& out) {
    expect_shapes(q, k, v, out);
    const kernels::AttentionCall call{q, k, v, key_bias, out, {}, {}};
    q.is_cpu() ? kernels::cpu::attention(call) : kernels::reference::attention(call);
}

void partial_attention(const at::Tensor& q,
                       const at::Tensor& k,
                       const at::Tensor& v,
                       at::Tensor& out,
                       at::Tensor& log_sum,
                       const std::function<void()>& progress) {
    expect_shapes(q, k, v, out);
    REELYARD_EXPECT(out.scalar_type() == at::kFloat && log_sum.scalar_type() == at::kFloat);
    REELYARD_EXPECT(log_sum.is_contiguous() && log_sum.numel() * q.size(3) == q.numel());
    if (k.numel() == 0) {
        out.zero_();
        log_sum.fill_(-std::numeric_limits<float>::infinity());
        return;
    }
    const at::Tensor no_bias;
    const kernels::AttentionCall call{q, k, v, no_bias, out, log_sum, progress};
    q.is_cpu() ? kernels::cpu::attention(call) : kernels::reference::attention(call);
}

void merge_attention(at::Tensor& out,
                     at::Tensor& log_sum,
                     const at::Tensor& other_out,
                     const at::Tensor& other_log_sum) {
    if (out.numel() == 0) {
        return;
    }
    const at::Tensor all = at::logaddexp(log_sum, other_log_sum);
    // [B, N, L] to [B, L, N, 1]; where neither has keys both weights are 0.
    const auto weight_of = [&](const at::Tensor& part) {
        return at::nan_to_num(at::exp(part - all)).transpose(1, 2).unsqueeze(-1);
    };
    const std::int64_t width = out.size(2) / log_sum.size(1);
    at::Tensor heads = out.unflatten(2, {log_sum.size(1), width});
    heads.mul_(weight_of(log_sum));
    heads.addcmul_(other_out.view(heads.sizes()), weight_of(other_log_sum));
    log_sum.copy_(all);
}

}  // namespace reelyard::nn
