#include "reelyard/spec/shard.hpp"

#include "reelyard/base/error.hpp"

namespace reelyard {

Interval shard_of(std::int64_t length, std::int64_t unit, Shard shard) {
    REELYARD_EXPECT(shard.degree >= 1 && shard.index >= 0 && shard.index < shard.degree);
    REELYARD_EXPECT(length >= 0 && unit >= 1 && length % unit == 0);
    const std::int64_t units = length / unit;
    return {.begin = units * shard.index / shard.degree * unit,
            .end = units * (shard.index + 1) / shard.degree * unit};
}

}  // namespace reelyard
