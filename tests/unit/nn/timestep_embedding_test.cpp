#include "reelyard/nn/timestep_embedding.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace reelyard::nn {
namespace {

/// Values published with the model's specification, for a width of 256.
TEST(TimestepEmbedding, has_cosines_first) {
    const at::Tensor waves = timestep_embedding(at::tensor({999.0F, 241.0F}), 256);

    const std::vector<std::int64_t> columns{0, 1, 64, 127};
    const std::vector<std::vector<double>> cosines{{0.9996499, 0.9637825, -0.8444697, 0.9942432},
                                                   {-0.6195443, -0.3485399, -0.7441114, 0.9996647}};
    const std::vector<std::vector<double>> sines{{-0.0264608, -0.2666896, -0.5356033, 0.1071472},
                                                 {0.7849617, -0.9372939, 0.6680556, 0.0258952}};
    for (std::size_t b = 0; b < 2; ++b) {
        const at::Tensor row = waves[static_cast<std::int64_t>(b)];
        for (std::size_t i = 0; i < columns.size(); ++i) {
            EXPECT_NEAR(row[columns[i]].item<double>(), cosines[b][i], 2e-7);
            EXPECT_NEAR(row[128 + columns[i]].item<double>(), sines[b][i], 2e-7);
        }
    }
}

TEST(TimestepEmbedding, ends_an_odd_width_in_zero) {
    const at::Tensor waves = timestep_embedding(at::tensor({500.0F}), 7);

    EXPECT_EQ(waves.size(1), 7);
    EXPECT_EQ(waves[0][6].item<float>(), 0.0F);
    EXPECT_NE(waves[0][5].item<float>(), 0.0F);
}

}  // namespace
}  // namespace reelyard::nn
