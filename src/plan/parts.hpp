#pragma once

#include <cstdint>

#include "reelyard/spec/shard.hpp"

namespace reelyard::plan {

/// How many of `length` tokens, heads or rows a rank of a split has.
[[nodiscard]] inline std::int64_t part_of(std::int64_t length, int degree, int index) {
    const Interval part = shard_of(length, 1, {.degree = degree, .index = index});
    return part.end - part.begin;
}

}  // namespace reelyard::plan
