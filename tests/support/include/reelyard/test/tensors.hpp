#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Parallel.h>

namespace reelyard::test {

/// Normally distributed numbers that depend on the seed alone.
inline at::Tensor random(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    return at::randn(shape, generator, at::kFloat);
}

/// Largest difference relative to the largest expected value; in float64.
inline double relative_error(const at::Tensor& found, const at::Tensor& expected) {
    const at::Tensor wanted = expected.to(at::kDouble);
    return ((found.to(at::kDouble) - wanted).abs().max() / wanted.abs().max()).item<double>();
}

/// The number of LibTorch's threads, for the lifetime of the object.
class Threads {
public:
    explicit Threads(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
    ~Threads() { at::set_num_threads(before_); }
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

private:
    int before_;
};

}  // namespace reelyard::test
