#include "reelyard/nn/norm.hpp"

#include <tuple>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/nn/rope.hpp"

#include "reelyard/test/tensors.hpp"

namespace reelyard::nn {
namespace {

using test::random;
using test::relative_error;

/// Error that one rounding to the type makes at most, with room for float32 sums.
double tolerance_of(at::ScalarType type) {
    return type == at::kBFloat16 ? 0.0079 : 2e-6;
}

class Norm : public testing::TestWithParam<std::tuple<std::int64_t, at::ScalarType>> {};

TEST_P(Norm, layer_norm_equals_its_formula_in_float64) {
    const auto [width, type] = GetParam();
    const at::Tensor x = random({2, 5, width}, 1) * 3 + 7;
    const at::Tensor scale = random({2, width}, 2);
    const at::Tensor shift = random({1, width}, 3);
    at::Tensor out = at::empty({2, 5, width}, type);

    layer_norm(x, scale, shift, 1e-6, out);

    const at::Tensor wide = x.to(at::kDouble);
    const at::Tensor mean = wide.mean(-1, true);
    const at::Tensor variance = (wide - mean).square().mean(-1, true);
    const at::Tensor expected =
        (wide - mean) / (variance + 1e-6).sqrt() * scale.unsqueeze(1) + shift;
    EXPECT_LT(relative_error(out, expected), 5 * tolerance_of(type));
}

TEST_P(Norm, rms_norm_spans_all_heads) {
    const auto [width, type] = GetParam();
    const at::Tensor x = random({2, 5, 3, width}, 4).to(type);
    const at::Tensor weight = random({3 * width}, 5);
    at::Tensor y = x.clone();

    rms_norm_rotate(y, weight, 1e-6, nullptr);

    const at::Tensor wide = x.to(at::kDouble).flatten(2);
    const at::Tensor expected = wide / (wide.square().mean(-1, true) + 1e-6).sqrt() * weight;
    EXPECT_LT(relative_error(y.flatten(2), expected), 2 * tolerance_of(type));
}

TEST_P(Norm, rotation_turns_neighbouring_pairs_by_complex_numbers) {
    const auto [width, type] = GetParam();
    const std::int64_t even = width + width % 2;
    const at::Tensor x = random({2, 12, 3, even}, 6).to(type);
    const at::Tensor weight = at::ones({3 * even});
    const RotaryTable table = rotary_table(even, {2, 2, 3});
    at::Tensor plain = x.clone();
    at::Tensor turned = x.clone();

    rms_norm_rotate(plain, weight, 1e-6, nullptr);
    rms_norm_rotate(turned, weight, 1e-6, &table);

    const at::Tensor numbers =
        at::view_as_complex(plain.to(at::kDouble).unflatten(-1, {-1, 2}).contiguous());
    const at::Tensor cosine = table.cosine.unflatten(-1, {-1, 2}).select(-1, 0);
    const at::Tensor sine = table.sine.unflatten(-1, {-1, 2}).select(-1, 1);
    const at::Tensor angles =
        at::complex(cosine.to(at::kDouble), sine.to(at::kDouble)).unsqueeze(1);
    const at::Tensor expected = at::view_as_real(numbers * angles).flatten(-2);
    EXPECT_LT(relative_error(turned, expected), 2 * tolerance_of(type));
}

INSTANTIATE_TEST_SUITE_P(widths,
                         Norm,
                         testing::Combine(testing::Values(1, 2, 7, 12, 16, 33, 64, 100, 768),
                                          testing::Values(at::kFloat, at::kBFloat16)));

TEST(NormValues, what_is_not_finite_stays_visible) {
    at::Tensor x = random({1, 2, 20}, 7);
    x[0][1][3] = std::numeric_limits<float>::quiet_NaN();
    at::Tensor out = at::empty({1, 2, 20}, at::kBFloat16);

    layer_norm(x, at::ones({1, 20}), at::zeros({1, 20}), 1e-6, out);

    EXPECT_TRUE(at::isfinite(out[0][0]).all().item<bool>());
    EXPECT_TRUE(at::isnan(out[0][1]).all().item<bool>());
}

}  // namespace
}  // namespace reelyard::nn
