#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>

namespace reelyard::test {

/// Numbers in [-0.5, 0.5) from an integer hash of (series, position): the same in every language.
inline at::Tensor hashed(std::uint32_t series, const std::vector<std::int64_t>& shape) {
    at::Tensor values = at::empty(shape, at::kDouble);
    auto* out = values.data_ptr<double>();
    const std::uint32_t offset = (series + 1) * 2246822519U;
    for (std::int64_t k = 0; k < values.numel(); ++k) {
        std::uint32_t h = (static_cast<std::uint32_t>(k) + 1) * 2654435761U + offset;
        h ^= h >> 15;
        h *= 2246822519U;
        h ^= h >> 13;
        out[k] = static_cast<double>(h) / 4294967296.0 - 0.5;
    }
    return values;
}

/// Input number `j` of a golden case: 2 u, float32.
inline at::Tensor hashed_input(std::uint32_t j, const std::vector<std::int64_t>& shape) {
    return (2 * hashed(1000 + j, shape)).to(at::kFloat);
}

}  // namespace reelyard::test
