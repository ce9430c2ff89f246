#include "reelyard/nn/patch.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/test/tensors.hpp"

namespace reelyard::nn {
namespace {

TEST(Patch, a_linear_layer_on_patches_is_the_convolution_of_that_stride) {
    const at::Tensor latent = test::random({2, 3, 4, 6, 10}, 1);
    const at::Tensor weight = test::random({7, 3, 2, 3, 2}, 2);

    const at::Tensor found = at::linear(to_patches(latent, {2, 3, 2}), weight.flatten(1));

    const at::Tensor expected =
        at::conv3d(latent, weight, {}, {2, 3, 2}).flatten(2).transpose(1, 2);
    EXPECT_LT(test::relative_error(found, expected), 1e-5);
}

TEST(Patch, puts_channels_fastest_back_in_place) {
    at::Tensor patches = at::empty({1, 6, 8});  // grid 1 x 2 x 3, patch 1 x 2 x 2, two channels
    for (std::int64_t n = 0; n < 6; ++n) {
        for (std::int64_t i = 0; i < 8; ++i) {
            patches[0][n][i] = static_cast<double>(10 * n + i);
        }
    }

    const at::Tensor video = from_patches(patches, {1, 2, 2}, {1, 2, 3});

    ASSERT_EQ(video.sizes(), at::IntArrayRef({1, 2, 1, 4, 6}));
    // Row 3, column 4 is in patch (1, 2) = 5, there row 1, column 0; channel 1: 50 + 2 * 2 + 1.
    EXPECT_EQ(video[0][1][0][3][4].item<float>(), 55.0F);
    EXPECT_EQ(video[0][0][0][0][1].item<float>(), 2.0F);
}

}  // namespace
}  // namespace reelyard::nn
