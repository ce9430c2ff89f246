#include "reelyard/nn/attention.hpp"

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
using Shape = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>;  // L, M, N, K

/// The formula, step by step in float64.
at::Tensor by_formula(const at::Tensor& q,
                      const at::Tensor& k,
                      const at::Tensor& v,
                      const at::Tensor& key_bias) {
    const auto heads = [](const at::Tensor& x) {
        return x.to(at::kDouble).transpose(1, 2);
    };
    at::Tensor logits =
        at::matmul(heads(q), heads(k).transpose(2, 3)) / std::sqrt(static_cast<double>(q.size(3)));
    if (key_bias.defined()) {
        logits = logits + key_bias.unsqueeze(1).unsqueeze(1);
    }
    return at::matmul(at::softmax(logits, -1), heads(v)).transpose(1, 2).flatten(2);
}

class AttentionShapes : public testing::TestWithParam<std::tuple<Shape, at::ScalarType>> {
protected:
    AttentionShapes() : type_(std::get<1>(GetParam())) {
        const auto [length, keys, heads, width] = std::get<0>(GetParam());
        q_ = (random({2, length, heads, width}, 1) * 2).to(type_);
        k_ = random({2, keys, heads, width}, 2).to(type_);
        v_ = random({2, keys, heads, width}, 3).to(type_);
        bias_ = random({2, keys}, 4);
    }

    [[nodiscard]] at::Tensor run(const at::Tensor& bias) const {
        at::Tensor out = at::empty({2, q_.size(1), q_.size(2) * q_.size(3)}, type_);
        attention(q_, k_, v_, bias, out);
        return out;
    }

    [[nodiscard]] double tolerance() const { return type_ == at::kBFloat16 ? 0.01 : 3e-6; }

    at::ScalarType type_;
    at::Tensor q_;
    at::Tensor k_;
    at::Tensor v_;
    at::Tensor bias_;
};

TEST_P(AttentionShapes, equals_the_formula) {
    EXPECT_LT(relative_error(run({}), by_formula(q_, k_, v_, {})), tolerance());
}

TEST_P(AttentionShapes, adds_the_bias_of_a_key) {
    EXPECT_LT(relative_error(run(bias_), by_formula(q_, k_, v_, bias_)), tolerance());
}

TEST_P(AttentionShapes, leaves_out_keys_of_minus_infinity) {
    if (bias_.size(1) < 2) {
        GTEST_SKIP() << "needs a key that stays";
    }
    at::Tensor bias = at::zeros_like(bias_);
    bias.narrow(1, 1, bias.size(1) - 1).fill_(-std::numeric_limits<float>::infinity());

    const at::Tensor expected = v_.narrow(1, 0, 1).expand(q_.sizes()).flatten(2);

    EXPECT_LT(relative_error(run(bias), expected), tolerance());
}

TEST_P(AttentionShapes, gives_the_same_bits_on_any_number_of_threads) {
    const test::Threads one(1);
    const at::Tensor expected = run(bias_);

    for (const int count : {2, 3, 4}) {
        const test::Threads threads(count);
        EXPECT_TRUE(run(bias_).equal(expected)) << count;
    }
}

INSTANTIATE_TEST_SUITE_P(shapes,
                         AttentionShapes,
                         testing::Combine(testing::Values(Shape{1, 1, 1, 2},
                                                          Shape{5, 3, 3, 12},
                                                          Shape{33, 70, 2, 32},
                                                          Shape{70, 33, 5, 20},
                                                          Shape{300, 21, 3, 64},
                                                          Shape{270, 600, 1, 128},
                                                          Shape{64, 1100, 2, 48}),
                                          testing::Values(at::kFloat, at::kBFloat16)));

TEST(PartialAttention, lets_others_get_on_meanwhile_and_gives_the_same_bits) {
    constexpr std::int64_t heads = 7;
    const at::Tensor q = random({2, 130, heads, 16}, 1);
    const at::Tensor k = random({2, 150, heads, 16}, 2);
    const at::Tensor v = random({2, 150, heads, 16}, 3);
    at::Tensor expected = at::empty({2, 130, heads * 16});
    at::Tensor expected_log_sum = at::empty({2, heads, 130});
    partial_attention(q, k, v, expected, expected_log_sum);
    at::Tensor found = at::empty_like(expected);
    at::Tensor log_sum = at::empty_like(expected_log_sum);
    int calls = 0;

    partial_attention(q, k, v, found, log_sum, [&] { ++calls; });

    EXPECT_GE(calls, 4);
    EXPECT_TRUE(at::equal(found, expected));
    EXPECT_TRUE(at::equal(log_sum, expected_log_sum));
}

TEST(AttentionValues, large_logits_do_not_overflow) {
    const at::Tensor q = random({1, 40, 1, 16}, 1) * 100;
    const at::Tensor v = random({1, 40, 1, 16}, 2);
    at::Tensor out = at::empty({1, 40, 16});

    attention(q, q, v, {}, out);

    EXPECT_LT(relative_error(out, by_formula(q, q, v, {})), 1e-4);
}

TEST(AttentionValues, what_is_not_a_number_stays_visible) {
    at::Tensor q = random({1, 40, 1, 16}, 1);
    q[0][7][0][3] = std::numeric_limits<float>::quiet_NaN();
    const at::Tensor k = random({1, 50, 1, 16}, 2);

    for (const auto type : {at::kFloat, at::kBFloat16}) {
        at::Tensor out = at::empty({1, 40, 16}, type);
        attention(q.to(type), k.to(type), k.to(type), {}, out);
        EXPECT_TRUE(at::isnan(out[0][7]).all().item<bool>());
        EXPECT_TRUE(at::isfinite(out[0][6]).all().item<bool>());
    }
}

TEST(AttentionFloat32, has_infinities_and_what_is_no_number_where_the_formula_has_them) {
    const at::Tensor q = random({1, 100, 2, 32}, 1);
    const at::Tensor k = random({1, 40, 2, 32}, 2);
    at::Tensor v = random({1, 40, 2, 32}, 3);
    v[0][3][0][5] = std::numeric_limits<float>::infinity();
    v[0][4][1][6] = std::numeric_limits<float>::quiet_NaN();
    const at::Tensor expected = by_formula(q, k, v, {});
    at::Tensor out = at::empty({1, 100, 64});

    attention(q, k, v, {}, out);

    EXPECT_TRUE(out.isnan().equal(expected.isnan()));
    EXPECT_TRUE(out.isposinf().equal(expected.isposinf()));
}

TEST(AttentionFloat32, keeps_values_hardly_more_than_zero) {
    const at::Tensor q = random({1, 100, 2, 32}, 1);
    const at::Tensor k = random({1, 40, 2, 32}, 2);
    const at::Tensor v = random({1, 40, 2, 32}, 3);
    const at::Tensor expected = by_formula(q, k, v, {});
    at::Tensor out = at::empty({1, 100, 64});

    attention(q, k, v * std::ldexp(1.0, -126), {}, out);

    EXPECT_LT(relative_error(out.to(at::kDouble) * std::ldexp(1.0, 126), expected), 3e-6);
}

}  // namespace
}  // namespace reelyard::nn
