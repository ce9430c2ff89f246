#pragma once

#include <cstdint>

namespace reelyard {

/// One of `degree` parts of something.
struct Shard {
    int degree = 1;
    int index = 0;  ///< 0 .. degree - 1
};

/// A run of positions, [begin, end).
struct Interval {
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

/// The part of `length` positions that belongs to a shard. Parts begin at multiples of `unit`,
/// follow one another, cover everything, and differ by at most one unit; with more shards than
/// units some are empty. \param unit divides `length`
[[nodiscard]] Interval shard_of(std::int64_t length, std::int64_t unit, Shard shard);

}  // namespace reelyard
