#include "reelyard/nn/linear.hpp"

#include <cmath>
#include <limits>
#include <tuple>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/test/tensors.hpp"

namespace reelyard::nn {
namespace {

using test::random;
using test::relative_error;
using Shape = std::tuple<std::int64_t, std::int64_t, std::int64_t>;  // rows, in, out

class LinearShapes : public testing::TestWithParam<std::tuple<Shape, at::ScalarType, bool>> {
protected:
    LinearShapes() : type_(std::get<1>(GetParam())) {
        const auto [rows, in, out] = std::get<0>(GetParam());
        x_ = random({2, rows, in}, 1).to(type_);
        layer_.weight = (random({out, in}, 2) / std::sqrt(static_cast<double>(in))).to(type_);
        if (std::get<2>(GetParam())) {
            layer_.weight = layer_.weight.t().contiguous().t();
        }
        layer_.bias = random({out}, 3).to(type_);
        expected_ = at::linear(
            x_.to(at::kDouble), layer_.weight.to(at::kDouble), layer_.bias.to(at::kDouble));
    }

    [[nodiscard]] double tolerance() const { return type_ == at::kBFloat16 ? 0.004 : 3e-6; }

    at::ScalarType type_;
    at::Tensor x_;
    Linear layer_;
    at::Tensor expected_;
};

TEST_P(LinearShapes, equals_the_product_in_float64) {
    EXPECT_LT(relative_error(linear(x_, layer_), expected_), tolerance());
}

TEST_P(LinearShapes, does_without_a_bias) {
    const at::Tensor expected = expected_ - layer_.bias;
    layer_.bias.reset();

    EXPECT_LT(relative_error(linear(x_, layer_), expected), tolerance());
}

TEST_P(LinearShapes, applies_gelu) {
    const at::Tensor y = linear(x_, layer_, Activation::gelu_tanh);

    EXPECT_LT(relative_error(y, at::gelu(expected_, "tanh")), 2 * tolerance());
}

TEST_P(LinearShapes, adds_to_a_stream_with_a_gate_for_each_sample) {
    const at::Tensor before = random(expected_.sizes().vec(), 4);
    const at::Tensor gate = random({2, layer_.out_features()}, 5);
    at::Tensor gated = before.clone();
    at::Tensor plain = before.clone();

    add_linear(gated, x_, layer_, gate);
    add_linear(plain, x_, layer_, {});

    EXPECT_LT(relative_error(gated, before + expected_ * gate.unsqueeze(1)), tolerance());
    EXPECT_LT(relative_error(plain, before + expected_), tolerance());
}

TEST_P(LinearShapes, gives_the_same_bits_on_any_number_of_threads) {
    const test::Threads one(1);
    const at::Tensor expected = linear(x_, layer_, Activation::gelu_tanh);

    for (const int count : {2, 3, 4}) {
        const test::Threads threads(count);
        EXPECT_TRUE(linear(x_, layer_, Activation::gelu_tanh).equal(expected)) << count;
    }
}

INSTANTIATE_TEST_SUITE_P(shapes,
                         LinearShapes,
                         testing::Combine(testing::Values(Shape{1, 1, 1},
                                                          Shape{3, 5, 7},
                                                          Shape{20, 24, 40},
                                                          Shape{33, 64, 96},
                                                          Shape{130, 100, 770},
                                                          Shape{300, 257, 65},
                                                          Shape{200, 1152, 512}),
                                          testing::Values(at::kFloat, at::kBFloat16),
                                          testing::Bool()));

TEST(LinearValues, a_row_does_not_depend_on_the_others) {
    const at::Tensor x = random({1, 300, 96}, 1);
    const Linear layer{.weight = random({80, 96}, 2), .bias = {}};

    const at::Tensor together = linear(x, layer);
    const at::Tensor alone = linear(x.narrow(1, 290, 1).contiguous(), layer);

    EXPECT_LT(relative_error(alone, together.narrow(1, 290, 1)), 1e-6);
}

TEST(LinearValues, a_sum_of_no_inputs_is_zero) {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
        const at::Tensor x = at::empty({2, 5, 0}, type);
        const Linear layer{.weight = at::empty({7, 0}, type), .bias = random({7}, 1).to(type)};
        at::Tensor stream = random({2, 5, 7}, 2);
        const at::Tensor expected = stream + layer.bias;

        EXPECT_TRUE(at::equal(linear(x, layer), layer.bias.expand({2, 5, 7})));
        add_linear(stream, x, layer, {});

        EXPECT_LT(relative_error(stream, expected), 1e-6);
        EXPECT_TRUE(linear(x, {.weight = layer.weight, .bias = {}}).eq(0).all().item<bool>());
    }
}

TEST(LinearValues, what_is_not_finite_stays_visible) {
    at::Tensor x = random({1, 4, 32}, 1).to(at::kBFloat16);
    x[0][2][5] = std::numeric_limits<float>::infinity();
    const Linear layer{.weight = random({16, 32}, 2).to(at::kBFloat16), .bias = {}};

    const at::Tensor y = linear(x, layer, Activation::gelu_tanh);

    EXPECT_TRUE(at::isfinite(y[0][1]).all().item<bool>());
    EXPECT_FALSE(at::isfinite(y[0][2]).all().item<bool>());
}

TEST(LinearFloat32, is_accurate_for_numbers_of_very_different_size) {
    const auto spread = [](const at::Tensor& x, std::uint64_t seed) {
        return x * at::exp2((random(x.sizes().vec(), seed) * 10).round());
    };
    const at::Tensor x = spread(random({1, 40, 1536}, 1), 2);
    const Linear layer{.weight = spread(random({70, 1536}, 3), 4), .bias = {}};
    const at::Tensor exact = at::linear(x.to(at::kDouble), layer.weight.to(at::kDouble));
    const at::Tensor sizes =
        at::linear(x.to(at::kDouble).abs(), layer.weight.to(at::kDouble).abs());

    const at::Tensor error = (linear(x, layer).to(at::kDouble) - exact).abs() / sizes;

    EXPECT_LT(error.max().item<double>(), 2e-6);
}

TEST(LinearFloat32, has_infinities_and_what_is_no_number_where_the_formula_has_them) {
    at::Tensor x = random({1, 300, 64}, 1);
    Linear layer{.weight = at::ones({300, 64}), .bias = {}};
    x[0][2][5] = std::numeric_limits<float>::infinity();
    x[0][280][5] = std::numeric_limits<float>::quiet_NaN();
    layer.weight[7][5] = 0;
    layer.weight[290][6] = -std::numeric_limits<float>::infinity();
    const at::Tensor expected = at::linear(x.to(at::kDouble), layer.weight.to(at::kDouble));

    const at::Tensor y = linear(x, layer);

    EXPECT_TRUE(y.isnan().equal(expected.isnan()));
    EXPECT_TRUE(y.isposinf().equal(expected.isposinf()));
    EXPECT_TRUE(y.isneginf().equal(expected.isneginf()));
}

TEST(LinearFloat32, keeps_what_is_hardly_more_than_zero) {
    const at::Tensor x = random({1, 40, 64}, 1);
    const Linear layer{.weight = random({70, 64}, 2), .bias = {}};
    const at::Tensor expected = at::linear(x.to(at::kDouble), layer.weight.to(at::kDouble));

    for (const int exponent : {-60, -100, -126, -130}) {
        const at::Tensor y = linear(x * std::ldexp(1.0, exponent), layer);

        EXPECT_LT(relative_error(y.to(at::kDouble) * std::ldexp(1.0, -exponent), expected), 2e-6)
            << exponent;
    }
}

}  // namespace
}  // namespace reelyard::nn
