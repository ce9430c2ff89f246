#include <algorithm>

#include <ATen/ATen.h>

#include "reelyard/nn/parallel.hpp"

#include "kernels/kernels.hpp"
#include "kernels/rows/row_kernels.hpp"

namespace reelyard::nn::kernels::cpu {
namespace {

constexpr std::int64_t rows_per_task = 64;

/// Calls row(b, l) for all rows of a [B, L, ...] tensor, in tasks.
template <typename Row>
void for_each_row(std::int64_t batch, std::int64_t length, const Row& row) {
    const std::int64_t rows = batch * length;
    for_each_task((rows + rows_per_task - 1) / rows_per_task, [&](std::int64_t task) {
        const std::int64_t end = std::min(rows, (task + 1) * rows_per_task);
        for (std::int64_t r = task * rows_per_task; r < end; ++r) {
            row(r / length, r % length);
        }
    });
}

/// Row b of a [B, D] or [1, D] tensor.
const float* row_of(const at::Tensor& rows, std::int64_t b) {
    return rows.const_data_ptr<float>() + (rows.size(0) == 1 ? 0 : b) * rows.size(1);
}

}  // namespace

void layer_norm(const LayerNormCall& call) {
    const std::int64_t length = call.x.size(1);
    const std::int64_t width = call.x.size(2);
    const at::Tensor scale = call.scale.contiguous();
    const at::Tensor shift = call.shift.contiguous();
    const bool to_bfloat16 = call.out.scalar_type() == at::kBFloat16;
    const float* x = call.x.const_data_ptr<float>();
    auto* out = static_cast<char*>(call.out.mutable_data_ptr());
    const auto row_bytes = width * call.out.element_size();
    const RowKernels& kernels = row_kernels();
    for_each_row(call.x.size(0), length, [&](std::int64_t b, std::int64_t l) {
        const std::int64_t row = b * length + l;
        kernels.layer_norm({.x = x + row * width,
                            .scale = row_of(scale, b),
                            .shift = row_of(shift, b),
                            .out = {out + row * row_bytes, to_bfloat16},
                            .width = width,
                            .eps = static_cast<float>(call.eps)});
    });
}

void rms_norm_rotate(const RmsRotateCall& call) {
    const std::int64_t length = call.x.size(1);
    const std::int64_t heads = call.x.size(2);
    const std::int64_t head_width = call.x.size(3);
    const bool is_bfloat16 = call.x.scalar_type() == at::kBFloat16;
    const at::Tensor weight = call.weight.contiguous();
    const float* cosine = call.rotary ? call.rotary->cosine.const_data_ptr<float>() : nullptr;
    const float* sine = call.rotary ? call.rotary->sine.const_data_ptr<float>() : nullptr;
    const float* mean_square =
        call.mean_square.defined() ? call.mean_square.const_data_ptr<float>() : nullptr;
    auto* x = static_cast<char*>(call.x.mutable_data_ptr());
    const std::int64_t row_bytes = heads * head_width * call.x.element_size();
    const RowKernels& kernels = row_kernels();
    for_each_row(call.x.size(0), length, [&](std::int64_t b, std::int64_t l) {
        kernels.rms_rotate({.x = {x + (b * length + l) * row_bytes, is_bfloat16},
                            .weight = weight.const_data_ptr<float>(),
                            .cosine = cosine ? cosine + l * head_width : nullptr,
                            .sine = sine ? sine + l * head_width : nullptr,
                            .mean_square = mean_square ? mean_square + b * length + l : nullptr,
                            .heads = heads,
                            .head_width = head_width,
                            .eps = static_cast<float>(call.eps)});
    });
}

at::Tensor sum_of_squares(const at::Tensor& x) {
    const std::int64_t length = x.size(1);
    const std::int64_t width = x.size(2) * x.size(3);
    const bool is_bfloat16 = x.scalar_type() == at::kBFloat16;
    auto* data = static_cast<char*>(x.mutable_data_ptr());
    at::Tensor sums = at::empty({x.size(0), length}, at::kFloat);
    auto* sum = sums.mutable_data_ptr<float>();
    const RowKernels& kernels = row_kernels();
    for_each_row(x.size(0), length, [&](std::int64_t b, std::int64_t l) {
        const std::int64_t row = b * length + l;
        sum[row] =
            kernels.sum_of_squares({data + row * width * x.element_size(), is_bfloat16}, width);
    });
    return sums;
}

}  // namespace reelyard::nn::kernels::cpu
