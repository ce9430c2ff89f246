#include <algorithm>

#include <ATen/ATen.h>

#include "reelyard/nn/parallel.hpp"

#include "kernels/kernels.hpp"
#include "kernels/rows/row_kernels.hpp"

namespace reelyard::nn::kernels::cpu {
namespace {

// A task is large enough that repacking the weight, which the libraries do in every call, costs
// little, and small enough that a few thousand rows occupy some dozens of threads.
constexpr std::int64_t rows_per_task = 256;
constexpr std::int64_t columns_per_task = 768;

/// A block of the product.
struct Block {
    std::int64_t row;
    std::int64_t rows;
    std::int64_t column;
    std::int64_t columns;
};

/// A call with its tensors seen as matrices.
struct MatrixCall {
    at::Tensor x;       ///< [rows, in]
    at::Tensor weight;  ///< [in, out]
    at::Tensor bias;    ///< [out] float32 or undefined
    at::Tensor out;     ///< [rows, out] or undefined
    at::Tensor stream;  ///< [rows, out] float32 or undefined
    at::Tensor gate;    ///< [B, out] float32 or undefined
    std::int64_t rows_per_gate;
    bool gelu;
};

MatrixCall as_matrices(const LinearCall& call) {
    const std::int64_t out = call.layer.out_features();
    const at::Tensor& bias = call.layer.bias;
    MatrixCall matrices{.x = call.x.view({-1, call.layer.in_features()}),
                        .weight = call.layer.weight.t(),
                        .bias = bias.defined() ? bias.to(at::kFloat).contiguous() : bias,
                        .out = call.out.defined() ? call.out.view({-1, out}) : call.out,
                        .stream = call.stream.defined() ? call.stream.view({-1, out}) : call.stream,
                        .gate = call.gate.defined() ? call.gate.contiguous() : call.gate,
                        .rows_per_gate = 1,
                        .gelu = call.activation == Activation::gelu_tanh};
    if (matrices.gate.defined()) {
        matrices.rows_per_gate =
            std::max<std::int64_t>(1, matrices.x.size(0) / matrices.gate.size(0));
    }
    return matrices;
}

char* element(const at::Tensor& matrix, std::int64_t row, std::int64_t column) {
    return static_cast<char*>(matrix.mutable_data_ptr()) +
           (row * matrix.stride(0) + column) * matrix.element_size();
}

/// Bias, activation and destination of the products in `sums` [rows, columns] of a block.
void finish(const MatrixCall& call, const at::Tensor& sums, const Block& block) {
    const RowKernels& kernels = row_kernels();
    const bool is_bfloat16 = call.x.scalar_type() == at::kBFloat16;
    for (std::int64_t r = 0; r < block.rows; ++r) {
        const std::int64_t row = block.row + r;
        FinishRow job{.sums = {element(sums, r, 0), sums.scalar_type() == at::kBFloat16},
                      .bias = nullptr,
                      .gelu = call.gelu,
                      .out = {},
                      .stream = nullptr,
                      .gate = nullptr,
                      .width = block.columns,
                      .rounds_to_bfloat16 = is_bfloat16};
        if (call.bias.defined()) {
            job.bias = call.bias.const_data_ptr<float>() + block.column;
        }
        if (call.stream.defined()) {
            job.stream = reinterpret_cast<float*>(element(call.stream, row, block.column));
        } else {
            job.out = {element(call.out, row, block.column), is_bfloat16};
        }
        if (call.gate.defined()) {
            job.gate = call.gate.const_data_ptr<float>() +
                       row / call.rows_per_gate * call.gate.size(1) + block.column;
        }
        kernels.finish(job);
    }
}

/// The product of a block through LibTorch, in float32 where the inputs are.
void run_block(const MatrixCall& call, const Block& block) {
    const at::Tensor x = call.x.narrow(0, block.row, block.rows);
    const at::Tensor weight = call.weight.narrow(1, block.column, block.columns);
    if (x.scalar_type() == at::kFloat) {
        finish(call, at::mm(x, weight), block);
        return;
    }
    // The bias is added before the product is rounded, so LibTorch must do both.
    MatrixCall without_bias = call;
    without_bias.bias.reset();
    const at::Tensor sums =
        call.bias.defined()
            ? at::addmm(
                  call.bias.narrow(0, block.column, block.columns).to(x.scalar_type()), x, weight)
            : at::mm(x, weight);
    finish(without_bias, sums, block);
}

}  // namespace

void linear(const LinearCall& call) {
    const MatrixCall matrices = as_matrices(call);
    const std::int64_t rows = matrices.x.size(0);
    const std::int64_t columns = matrices.weight.size(1);
    const std::int64_t row_blocks = (rows + rows_per_task - 1) / rows_per_task;
    const std::int64_t column_blocks = (columns + columns_per_task - 1) / columns_per_task;
    for_each_task(row_blocks * column_blocks, [&](std::int64_t task) {
        const std::int64_t row = task / column_blocks * rows_per_task;
        const std::int64_t column = task % column_blocks * columns_per_task;
        run_block(matrices,
                  {.row = row,
                   .rows = std::min(rows_per_task, rows - row),
                   .column = column,
                   .columns = std::min(columns_per_task, columns - column)});
    });
}

}  // namespace reelyard::nn::kernels::cpu
