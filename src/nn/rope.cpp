#include "reelyard/nn/rope.hpp"

#include <cmath>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

namespace reelyard::nn {
namespace {

/// Angles of one axis: [positions, pairs] float64.
at::Tensor axis_angles(std::int64_t positions, std::int64_t pairs) {
    constexpr double theta = 10000.0;
    at::Tensor angles = at::empty({positions, pairs}, at::kDouble);
    auto angle = angles.accessor<double, 2>();
    for (std::int64_t j = 0; j < pairs; ++j) {
        const double frequency =
            1.0 / std::pow(theta, static_cast<double>(2 * j) / static_cast<double>(2 * pairs));
        for (std::int64_t p = 0; p < positions; ++p) {
            angle[p][j] = static_cast<double>(p) * frequency;
        }
    }
    return angles;
}

/// [a, b] values twice each along the last axis: [..., 2 b].
at::Tensor twice(const at::Tensor& first, const at::Tensor& second) {
    return at::stack({first, second}, -1).flatten(-2).to(at::kFloat).contiguous();
}

}  // namespace

RotaryTable rotary_table(std::int64_t head_width, const std::array<std::int64_t, 3>& grid) {
    REELYARD_EXPECT(head_width > 0 && head_width % 2 == 0);
    const std::int64_t pairs = head_width / 2;
    const std::int64_t side_pairs = pairs / 3;
    const auto [frames, rows, columns] = grid;
    const at::Tensor time = axis_angles(frames, pairs - 2 * side_pairs);
    const at::Tensor height = axis_angles(rows, side_pairs);
    const at::Tensor width = axis_angles(columns, side_pairs);
    const at::Tensor angles =
        at::cat({time.view({frames, 1, 1, -1}).expand({frames, rows, columns, -1}),
                 height.view({1, rows, 1, side_pairs}).expand({frames, rows, columns, -1}),
                 width.view({1, 1, columns, side_pairs}).expand({frames, rows, columns, -1})},
                -1)
            .flatten(0, 2);
    const at::Tensor cosine = angles.cos();
    const at::Tensor sine = angles.sin();
    return {.cosine = twice(cosine, cosine), .sine = twice(-sine, sine)};
}

}  // namespace reelyard::nn
