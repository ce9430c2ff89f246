#include "reelyard/nn/timestep_embedding.hpp"

#include <cmath>

#include <ATen/ATen.h>

namespace reelyard::nn {

at::Tensor timestep_embedding(const at::Tensor& timestep, std::int64_t width) {
    constexpr double longest_period = 10000.0;
    const std::int64_t half = width / 2;
    const at::Tensor exponents =
        at::arange(half, at::kDouble) * (-std::log(longest_period) / static_cast<double>(half));
    const at::Tensor angles =
        timestep.to(at::kCPU, at::kDouble).unsqueeze(1) * exponents.exp().unsqueeze(0);
    at::Tensor embedding = at::cat({angles.cos(), angles.sin()}, 1);
    if (width % 2 == 1) {
        embedding = at::constant_pad_nd(embedding, {0, 1});
    }
    return embedding.to(timestep.device(), at::kFloat);
}

}  // namespace reelyard::nn
