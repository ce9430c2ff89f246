#include "kernels/kernels.hpp"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "kernels/available.hpp"

#include "reelyard/test/tensors.hpp"

namespace reelyard::nn::kernels {
namespace {

using test::random;
using test::relative_error;

std::int64_t round_up(std::int64_t size, std::int64_t multiple) {
    return (size + multiple - 1) / multiple * multiple;
}

class EveryProduct : public testing::TestWithParam<const Products*> {
protected:
    EveryProduct()
        : products_(*GetParam())
        , type_(products_.is_bfloat16 ? at::kBFloat16 : at::kFloat) {}

    /// B [depth, columns] in panels, as a flat tensor; NaN where nothing was written.
    [[nodiscard]] at::Tensor packed(const at::Tensor& b) const {
        const std::int64_t size =
            round_up(b.size(0), products_.depth_multiple) * products_.panel_width;
        const std::int64_t panels =
            round_up(b.size(1), products_.panel_width) / products_.panel_width;
        at::Tensor result =
            at::full({panels, size}, std::numeric_limits<double>::quiet_NaN(), type_);
        for (std::int64_t p = 0; p < panels; ++p) {
            const std::int64_t column = p * products_.panel_width;
            products_.pack_panel({.source = b.narrow(1, column, 1).const_data_ptr(),
                                  .is_bfloat16 = b.scalar_type() == at::kBFloat16,
                                  .depth_stride = b.stride(0),
                                  .column_stride = b.stride(1),
                                  .depth = b.size(0),
                                  .columns = std::min(products_.panel_width, b.size(1) - column),
                                  .panel = result[p].mutable_data_ptr()});
        }
        return result;
    }

    /// C (+)= A B through packed rows and panels.
    [[nodiscard]] at::Tensor product(const at::Tensor& a, const at::Tensor& b, bool add) const {
        const std::int64_t rows = round_up(a.size(0), products_.row_multiple);
        const std::int64_t depth = round_up(a.size(1), products_.depth_multiple);
        at::Tensor packed_a = at::empty({rows, depth + 5}, type_);
        products_.pack_rows({.source = a.const_data_ptr(),
                             .is_bfloat16 = a.scalar_type() == at::kBFloat16,
                             .row_stride = a.stride(0),
                             .rows = a.size(0),
                             .depth = a.size(1),
                             .packed = packed_a.mutable_data_ptr(),
                             .packed_stride = packed_a.stride(0)});
        const at::Tensor panels = packed(b);
        at::Tensor c = at::ones({rows, panels.size(0) * products_.panel_width});
        products_.begin();
        for (std::int64_t p = 0; p < panels.size(0); ++p) {
            products_.multiply({.a = packed_a.const_data_ptr(),
                                .a_stride = packed_a.stride(0),
                                .rows = rows,
                                .panel = panels[p].const_data_ptr(),
                                .depth = depth,
                                .c = c.mutable_data_ptr<float>() + p * products_.panel_width,
                                .c_stride = c.stride(0),
                                .add = add});
        }
        products_.end();
        return c.narrow(0, 0, a.size(0)).narrow(1, 0, b.size(1));
    }

    const Products& products_;
    at::ScalarType type_;
};

TEST_P(EveryProduct, equals_float64_for_odd_sizes_layouts_and_types) {
    for (const auto& [rows, depth, columns] : std::vector<std::array<std::int64_t, 3>>{
             {1, 1, 1}, {3, 2, 5}, {13, 33, 40}, {15, 70, 31}, {29, 64, 65}, {47, 100, 96}}) {
        for (const auto type : {at::kFloat, at::kBFloat16}) {
            if (products_.is_bfloat16 && type != at::kBFloat16) {
                continue;
            }
            const at::Tensor a = random({rows, depth}, 1).to(type);
            const at::Tensor b = random({depth, columns}, 2).to(type);
            const at::Tensor expected = at::mm(a.to(at::kDouble), b.to(at::kDouble));

            EXPECT_LT(relative_error(product(a, b, false), expected), 1e-5) << rows << " " << depth;
            EXPECT_LT(relative_error(product(a, b, true), expected + 1), 1e-5);
            EXPECT_LT(relative_error(product(a, b.t().contiguous().t(), false), expected), 1e-5);
        }
    }
}

INSTANTIATE_TEST_SUITE_P(all,
                         EveryProduct,
                         testing::ValuesIn(available_products()),
                         [](const auto& which) { return std::string(which.param->name); });

class EveryRowKernel : public testing::TestWithParam<const RowKernels*> {
protected:
    const RowKernels& kernels_ = *GetParam();
    const std::vector<std::int64_t> widths_{1, 3, 4, 7, 15, 16, 17, 31, 64, 100};
};

float* floats(at::Tensor& tensor) {
    return tensor.mutable_data_ptr<float>();
}

TEST_P(EveryRowKernel, layer_norm_equals_the_reference) {
    for (const std::int64_t width : widths_) {
        at::Tensor x = random({1, 1, width}, 1);
        at::Tensor scale = random({1, width}, 2);
        at::Tensor shift = random({1, width}, 3);
        at::Tensor expected = at::empty_like(x);
        reference::layer_norm({x, scale, shift, 1e-6, expected});
        at::Tensor found = at::empty_like(x);

        kernels_.layer_norm({.x = floats(x),
                             .scale = floats(scale),
                             .shift = floats(shift),
                             .out = {floats(found), false},
                             .width = width,
                             .eps = 1e-6F});

        EXPECT_TRUE(at::allclose(found, expected, 1e-4, 1e-5)) << width;
    }
}

TEST_P(EveryRowKernel, rms_rotate_equals_the_reference) {
    for (const auto& [width, is_part] : std::vector<std::pair<std::int64_t, bool>>{
             {2, false}, {4, true}, {12, false}, {20, true}, {64, false}, {64, true}}) {
        at::Tensor x = random({1, 1, 3, width}, 1);
        at::Tensor weight = random({3 * width}, 2);
        at::Tensor angle = random({1, width / 2}, 3);
        RotaryTable table{
            .cosine = at::stack({angle.cos(), angle.cos()}, -1).flatten(-2).contiguous(),
            .sine = at::stack({-angle.sin(), angle.sin()}, -1).flatten(-2).contiguous()};
        at::Tensor expected = x.clone();
        at::Tensor mean_square = is_part ? at::full({1, 1}, 2.5F) : at::Tensor();
        reference::rms_norm_rotate({expected, weight, 1e-6, &table, mean_square});

        kernels_.rms_rotate({.x = {floats(x), false},
                             .weight = floats(weight),
                             .cosine = floats(table.cosine),
                             .sine = floats(table.sine),
                             .mean_square = is_part ? floats(mean_square) : nullptr,
                             .heads = 3,
                             .head_width = width,
                             .eps = 1e-6F});

        EXPECT_TRUE(at::allclose(x, expected, 1e-5, 1e-6)) << width;
    }
}

TEST_P(EveryRowKernel, sum_of_squares_equals_the_reference) {
    for (const std::int64_t width : widths_) {
        at::Tensor x = random({1, 1, 1, width}, 1);
        at::Tensor half = x.to(at::kBFloat16);

        const float found = kernels_.sum_of_squares({floats(x), false}, width);
        const float found_half = kernels_.sum_of_squares({half.mutable_data_ptr(), true}, width);

        EXPECT_NEAR(found, reference::sum_of_squares(x).item<float>(), 1e-5F * found);
        EXPECT_NEAR(found_half, reference::sum_of_squares(half).item<float>(), 1e-5F * found);
    }
}

TEST_P(EveryRowKernel, finish_adds_bias_rounds_and_applies_gelu) {
    for (const std::int64_t width : widths_) {
        at::Tensor sums = random({width}, 1) * 4;
        at::Tensor bias = random({width}, 2);
        at::Tensor found = at::empty({width}, at::kBFloat16);

        kernels_.finish({.sums = {floats(sums), false},
                         .bias = floats(bias),
                         .gelu = true,
                         .out = {found.mutable_data_ptr(), true},
                         .width = width,
                         .rounds_to_bfloat16 = true});

        const at::Tensor expected =
            at::gelu((sums + bias).to(at::kBFloat16).to(at::kFloat), "tanh");
        EXPECT_TRUE(at::allclose(found.to(at::kFloat), expected, 0.004, 1e-5)) << width;
    }
}

TEST_P(EveryRowKernel, finish_gates_into_the_stream) {
    for (const std::int64_t width : widths_) {
        at::Tensor sums = random({width}, 1);
        at::Tensor gate = random({width}, 2);
        at::Tensor stream = random({width}, 3);
        const at::Tensor expected = stream + sums * gate;

        kernels_.finish({.sums = {floats(sums), false},
                         .out = {},
                         .stream = floats(stream),
                         .gate = floats(gate),
                         .width = width});

        EXPECT_TRUE(at::allclose(stream, expected, 1e-6, 1e-6)) << width;
    }
}

TEST_P(EveryRowKernel, softmax_over_two_blocks_equals_that_over_both) {
    for (const std::int64_t width : widths_) {
        for (const bool biased : {false, true}) {
            const at::Tensor logits = random({2, width}, 1) * 6;
            at::Tensor bias = biased ? random({2, width}, 2) : at::zeros({2, width});
            at::Tensor weights = logits.clone();
            float maximum = -3.0e38F;
            float total = 0;
            std::vector<float> factors;
            for (std::int64_t block = 0; block < 2; ++block) {
                factors.push_back(
                    kernels_.softmax({.logits = floats(weights) + block * width,
                                      .weights_bfloat16 = nullptr,
                                      .key_bias = biased ? floats(bias) + block * width : nullptr,
                                      .keys = width,
                                      .scale = 0.5F,
                                      .maximum = &maximum,
                                      .total = &total}));
            }
            weights[0] *= factors[1];

            const at::Tensor expected = at::softmax((logits * 0.5 + bias).flatten(), 0);
            EXPECT_TRUE(at::allclose(weights.flatten() / total, expected, 1e-5, 1e-7)) << width;
        }
    }
}

TEST_P(EveryRowKernel, softmax_rounds_weights_to_bfloat16) {
    at::Tensor logits = random({37}, 1);
    const at::Tensor expected = at::exp(logits - logits.max()).to(at::kBFloat16);
    at::Tensor weights = at::empty({37}, at::kBFloat16);
    float maximum = -3.0e38F;
    float total = 0;

    kernels_.softmax({.logits = floats(logits),
                      .weights_bfloat16 = weights.mutable_data_ptr(),
                      .key_bias = nullptr,
                      .keys = 37,
                      .scale = 1.0F,
                      .maximum = &maximum,
                      .total = &total});

    EXPECT_TRUE(at::allclose(weights, expected, 0.008, 0));
}

INSTANTIATE_TEST_SUITE_P(all,
                         EveryRowKernel,
                         testing::ValuesIn(available_row_kernels()),
                         [](const auto& which) { return std::string(which.param->name); });

}  // namespace
}  // namespace reelyard::nn::kernels
