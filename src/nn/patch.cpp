#include "reelyard/nn/patch.hpp"

#include <ATen/ATen.h>

namespace reelyard::nn {

at::Tensor to_patches(const at::Tensor& latent, const PatchSize& patch) {
    const auto [p0, p1, p2] = patch;
    const std::int64_t f = latent.size(2) / p0;
    const std::int64_t h = latent.size(3) / p1;
    const std::int64_t w = latent.size(4) / p2;
    const at::Tensor whole = latent.narrow(2, 0, f * p0).narrow(3, 0, h * p1).narrow(4, 0, w * p2);
    return whole.reshape({latent.size(0), latent.size(1), f, p0, h, p1, w, p2})
        .permute({0, 2, 4, 6, 1, 3, 5, 7})
        .reshape({latent.size(0), f * h * w, latent.size(1) * p0 * p1 * p2});
}

at::Tensor from_patches(const at::Tensor& patches,
                        const PatchSize& patch,
                        const std::array<std::int64_t, 3>& grid) {
    const auto [p0, p1, p2] = patch;
    const auto [f, h, w] = grid;
    const std::int64_t channels = patches.size(2) / (p0 * p1 * p2);
    return patches.reshape({patches.size(0), f, h, w, p0, p1, p2, channels})
        .permute({0, 7, 1, 4, 2, 5, 3, 6})
        .reshape({patches.size(0), channels, f * p0, h * p1, w * p2});
}

}  // namespace reelyard::nn
