#pragma once

namespace reelyard::samplers {

/// Logarithm, exponential and e^x - 1 of one float32, with the bits that LibTorch gives for a
/// tensor without axes on the CPU: the references do their scalar arithmetic so, and the C library
/// rounds differently now and then.
[[nodiscard]] float log32(float x);
[[nodiscard]] float exp32(float x);
[[nodiscard]] float expm1_32(float x);

/// lambda = log(1 - sigma) - log(sigma), half the logarithm of the signal-to-noise ratio.
/// -infinity at sigma = 1, +infinity at sigma = 0.
[[nodiscard]] float half_log_snr(float sigma);

}  // namespace reelyard::samplers
