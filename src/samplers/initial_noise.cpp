#include "reelyard/samplers/initial_noise.hpp"

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

namespace reelyard::samplers {

at::Tensor initial_noise(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
    at::Generator generator = at::detail::createCPUGenerator(seed);
    return at::randn(shape, generator, at::TensorOptions().dtype(at::kFloat).device(at::kCPU));
}

}  // namespace reelyard::samplers
