#include <algorithm>

#include <ATen/ATen.h>

#include "reelyard/nn/parallel.hpp"

#include "kernels/kernels.hpp"
#include "kernels/products/products.hpp"
#include "kernels/rows/row_kernels.hpp"

namespace reelyard::nn::kernels::cpu {
namespace {

// The sums of one task, 256 KB, stay in the second-level cache while the depth goes by.
constexpr std::int64_t columns_per_task = 256;
// Rows this far apart lie in the same few lines of the first-level cache.
constexpr std::int64_t aliasing_bytes = 4096;

std::int64_t blocks_of(std::int64_t size, std::int64_t block) {
    return (size + block - 1) / block;
}

std::int64_t round_up(std::int64_t size, std::int64_t multiple) {
    return blocks_of(size, multiple) * multiple;
}

/// A call as matrices: [rows, depth] times [depth, columns].
class MatrixProduct {
public:
    explicit MatrixProduct(const LinearCall& call)
        : call_(call)
        , products_(products_for(call.x.scalar_type() == at::kBFloat16))
        , is_bfloat16_(call.x.scalar_type() == at::kBFloat16)
        , depth_(call.layer.in_features())
        , columns_(call.layer.out_features())
        , rows_(call.x.numel() / depth_)
        , panel_size_(round_up(depth_, products_.depth_multiple) * products_.panel_width)
        , weight_(with_unit_stride(call.layer.weight))
        , bias_(call.layer.bias.defined() ? call.layer.bias.to(at::kFloat).contiguous()
                                          : at::Tensor())
        , gate_(call.gate.defined() ? call.gate.contiguous() : at::Tensor())
        , rows_per_gate_(gate_.defined() ? rows_ / gate_.size(0) : rows_)
        , panels_(at::empty({blocks_of(columns_, products_.panel_width) * panel_size_},
                            products_.is_bfloat16 ? at::kBFloat16 : at::kFloat)) {}

    void run() {
        for_each_task(blocks_of(columns_, products_.panel_width),
                      [&](std::int64_t panel) { pack(panel); });
        const std::int64_t column_tasks = blocks_of(columns_, columns_per_task);
        const std::int64_t row_tasks = blocks_of(rows_, products_.row_block);
        for_each_task(row_tasks * column_tasks,
                      sums_bytes() + rows_bytes(),
                      [&](std::int64_t task, std::byte* scratch) {
                          const std::int64_t row = task / column_tasks * products_.row_block;
                          const std::int64_t column = task % column_tasks * columns_per_task;
                          run_block({.row = row,
                                     .rows = std::min(products_.row_block, rows_ - row),
                                     .column = column,
                                     .columns = std::min(columns_per_task, columns_ - column)},
                                    scratch);
                      });
    }

private:
    struct Block {
        std::int64_t row;
        std::int64_t rows;
        std::int64_t column;
        std::int64_t columns;
    };

    static at::Tensor with_unit_stride(const at::Tensor& weight) {
        return weight.stride(0) == 1 || weight.stride(1) == 1 ? weight : weight.contiguous();
    }

    [[nodiscard]] std::int64_t sums_bytes() const {
        return products_.row_block * columns_per_task * static_cast<std::int64_t>(sizeof(float));
    }

    [[nodiscard]] std::int64_t packed_stride() const { return products_.depth_block + 32; }

    [[nodiscard]] std::int64_t rows_bytes() const {
        return products_.row_block * packed_stride() * panels_.element_size();
    }

    [[nodiscard]] char* panel(std::int64_t number) const {
        return static_cast<char*>(panels_.mutable_data_ptr()) +
               number * panel_size_ * panels_.element_size();
    }

    void pack(std::int64_t number) const {
        const std::int64_t column = number * products_.panel_width;
        const auto* source = static_cast<const char*>(weight_.const_data_ptr());
        products_.pack_panel(
            {.source = source + column * weight_.stride(0) * weight_.element_size(),
             .is_bfloat16 = is_bfloat16_,
             .depth_stride = weight_.stride(1),
             .column_stride = weight_.stride(0),
             .depth = depth_,
             .columns = std::min(products_.panel_width, columns_ - column),
             .panel = panel(number)});
    }

    /// Whether rows of x can be multiplied where they lie.
    [[nodiscard]] bool usable_in_place(std::int64_t rows, std::int64_t depth) const {
        return is_bfloat16_ == products_.is_bfloat16 && rows % products_.row_multiple == 0 &&
               depth % products_.depth_multiple == 0 &&
               depth_ * panels_.element_size() % aliasing_bytes != 0;
    }

    void run_block(const Block& block, std::byte* scratch) const {
        auto* sums = reinterpret_cast<float*>(scratch);
        void* packed = scratch + sums_bytes();
        products_.begin();
        for (std::int64_t depth = 0; depth < depth_; depth += products_.depth_block) {
            multiply(block, depth, sums, packed);
        }
        products_.end();
        for (std::int64_t r = 0; r < block.rows; ++r) {
            finish_row(block, block.row + r, sums + r * columns_per_task);
        }
    }

    /// Adds the share of one block of the depth to the sums.
    void multiply(const Block& block, std::int64_t depth, float* sums, void* packed) const {
        const std::int64_t deep = std::min(products_.depth_block, depth_ - depth);
        const auto* x = static_cast<const char*>(call_.x.const_data_ptr()) +
                        (block.row * depth_ + depth) * call_.x.element_size();
        const bool in_place = usable_in_place(block.rows, deep);
        if (!in_place) {
            products_.pack_rows({.source = x,
                                 .is_bfloat16 = is_bfloat16_,
                                 .row_stride = depth_,
                                 .rows = block.rows,
                                 .depth = deep,
                                 .packed = packed,
                                 .packed_stride = packed_stride()});
        }
        const std::int64_t width = products_.panel_width;
        for (std::int64_t column = 0; column < block.columns; column += width) {
            products_.multiply({.a = in_place ? static_cast<const void*>(x) : packed,
                                .a_stride = in_place ? depth_ : packed_stride(),
                                .rows = round_up(block.rows, products_.row_multiple),
                                .panel = panel((block.column + column) / width) +
                                         depth * width * panels_.element_size(),
                                .depth = round_up(deep, products_.depth_multiple),
                                .c = sums + column,
                                .c_stride = columns_per_task,
                                .add = depth > 0});
        }
    }

    /// Bias, activation and destination of one row's sums.
    void finish_row(const Block& block, std::int64_t row, float* sums) const {
        FinishRow finish{.sums = {sums, false},
                         .bias = nullptr,
                         .gelu = call_.activation == Activation::gelu_tanh,
                         .out = {},
                         .stream = nullptr,
                         .gate = nullptr,
                         .width = block.columns,
                         .rounds_to_bfloat16 = is_bfloat16_};
        const std::int64_t at = row * columns_ + block.column;
        if (bias_.defined()) {
            finish.bias = bias_.const_data_ptr<float>() + block.column;
        }
        if (gate_.defined()) {
            finish.gate =
                gate_.const_data_ptr<float>() + row / rows_per_gate_ * columns_ + block.column;
        }
        if (call_.stream.defined()) {
            finish.stream = call_.stream.mutable_data_ptr<float>() + at;
        } else {
            finish.out = {
                static_cast<char*>(call_.out.mutable_data_ptr()) + at * call_.out.element_size(),
                is_bfloat16_};
        }
        row_kernels().finish(finish);
    }

    const LinearCall& call_;
    const Products& products_;
    bool is_bfloat16_;
    std::int64_t depth_;
    std::int64_t columns_;
    std::int64_t rows_;
    std::int64_t panel_size_;  ///< elements
    at::Tensor weight_;        ///< [columns, depth]
    at::Tensor bias_;          ///< [columns] float32 or undefined
    at::Tensor gate_;          ///< [B, columns] float32 or undefined
    std::int64_t rows_per_gate_;
    at::Tensor panels_;  ///< the weight as the products want it
};

}  // namespace

void linear(const LinearCall& call) {
    if (call.x.numel() > 0) {
        MatrixProduct(call).run();
    }
}

}  // namespace reelyard::nn::kernels::cpu
