#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/ATen.h>

#include "reelyard/nn/parallel.hpp"

#include "kernels/kernels.hpp"
#include "kernels/rows/row_kernels.hpp"

namespace reelyard::nn::kernels::cpu {
namespace {

constexpr std::int64_t queries_per_task = 256;
constexpr std::int64_t keys_per_block = 512;

/// One head of one sample.
struct Head {
    at::Tensor q;           ///< [L, K]
    at::Tensor k;           ///< [M, K]
    at::Tensor v;           ///< [M, K]
    const float* key_bias;  ///< [M] or null
    at::Tensor out;         ///< [L, K]
};

Head head_of(const AttentionCall& call, std::int64_t b, std::int64_t n) {
    const std::int64_t width = call.q.size(3);
    const float* bias = nullptr;
    if (call.key_bias.defined()) {
        bias = call.key_bias.const_data_ptr<float>() +
               (call.key_bias.size(0) == 1 ? 0 : b) * call.key_bias.size(1);
    }
    return {.q = call.q.select(0, b).select(1, n),
            .k = call.k.select(0, b).select(1, n),
            .v = call.v.select(0, b).select(1, n),
            .key_bias = bias,
            .out = call.out.select(0, b).narrow(1, n * width, width)};
}

/// Softmax of one block of keys, and what was summed up before brought to the new maximum.
struct OnlineSoftmax {
    std::vector<float> maximum;
    std::vector<float> total;
    float scale;

    void weigh(at::Tensor& logits, const float* key_bias, at::Tensor& sums) {
        const RowKernels& kernels = row_kernels();
        for (std::int64_t r = 0; r < logits.size(0); ++r) {
            const auto i = static_cast<std::size_t>(r);
            const float factor =
                kernels.softmax({.logits = logits.mutable_data_ptr<float>() + r * logits.stride(0),
                                 .weights_bfloat16 = nullptr,
                                 .key_bias = key_bias,
                                 .keys = logits.size(1),
                                 .scale = scale,
                                 .maximum = &maximum[i],
                                 .total = &total[i]});
            kernels.multiply(
                sums.mutable_data_ptr<float>() + r * sums.stride(0), factor, sums.size(1));
        }
    }
};

/// The queries [first, first + count) of one head against all keys, block by block (Dao et al.
/// 2022, arXiv:2205.14135).
void attend(const Head& head, std::int64_t first, std::int64_t count) {
    const std::int64_t keys = head.k.size(0);
    const std::int64_t width = head.q.size(1);
    const auto rows = static_cast<std::size_t>(count);
    const at::Tensor q = head.q.narrow(0, first, count);
    at::Tensor sums = at::zeros({count, width}, q.options());
    const at::Tensor memory = at::empty({count * std::min(keys, keys_per_block)}, q.options());
    OnlineSoftmax softmax{.maximum = std::vector<float>(rows, -3.0e38F),
                          .total = std::vector<float>(rows, 0.0F),
                          .scale = 1.0F / std::sqrt(static_cast<float>(width))};
    for (std::int64_t key = 0; key < keys; key += keys_per_block) {
        const std::int64_t block = std::min(keys_per_block, keys - key);
        at::Tensor logits = memory.narrow(0, 0, count * block).view({count, block});
        at::mm_out(logits, q, head.k.narrow(0, key, block).t());
        softmax.weigh(logits, head.key_bias ? head.key_bias + key : nullptr, sums);
        sums.addmm_(logits, head.v.narrow(0, key, block));
    }
    const RowKernels& kernels = row_kernels();
    for (std::int64_t r = 0; r < count; ++r) {
        const float factor = 1.0F / softmax.total[static_cast<std::size_t>(r)];
        auto* out = head.out.mutable_data_ptr<float>() + (first + r) * head.out.stride(0);
        kernels.convert(sums.const_data_ptr<float>() + r * width, factor, {out, false}, width);
    }
}

}  // namespace

void attention(const AttentionCall& call) {
    if (call.q.scalar_type() != at::kFloat) {
        reference::attention(call);
        return;
    }
    const std::int64_t heads = call.q.size(2);
    const std::int64_t length = call.q.size(1);
    const std::int64_t blocks = (length + queries_per_task - 1) / queries_per_task;
    for_each_task(call.q.size(0) * heads * blocks, [&](std::int64_t task) {
        const std::int64_t head = task / blocks;
        const std::int64_t first = task % blocks * queries_per_task;
        attend(head_of(call, head / heads, head % heads),
               first,
               std::min(queries_per_task, length - first));
    });
}

}  // namespace reelyard::nn::kernels::cpu
