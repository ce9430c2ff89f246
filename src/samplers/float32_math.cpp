#include "float32_math.hpp"

#include <ATen/ATen.h>

namespace reelyard::samplers {

float log32(float x) {
    return at::scalar_tensor(x, at::kFloat).log().item<float>();
}

float exp32(float x) {
    return at::scalar_tensor(x, at::kFloat).exp().item<float>();
}

float expm1_32(float x) {
    return at::scalar_tensor(x, at::kFloat).expm1().item<float>();
}

float half_log_snr(float sigma) {
    return log32(1.0F - sigma) - log32(sigma);
}

}  // namespace reelyard::samplers
