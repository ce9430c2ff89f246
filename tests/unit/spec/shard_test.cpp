#include "reelyard/spec/shard.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

namespace reelyard {
namespace {

std::vector<Interval> all_shards(std::int64_t length, std::int64_t unit, int degree) {
    std::vector<Interval> shards;
    for (int index = 0; index < degree; ++index) {
        shards.push_back(shard_of(length, unit, {.degree = degree, .index = index}));
    }
    return shards;
}

struct Axis {
    std::int64_t length;
    std::int64_t unit;
};

/// Heads and feed-forward widths of Wan 1.3B and 14B and of UMT5-XXL, and some that nothing
/// divides.
const std::vector<Axis> axes{{1536, 128},
                             {5120, 128},
                             {4096, 64},
                             {8960, 1},
                             {13824, 1},
                             {10240, 1},
                             {70, 1},
                             {60, 20},
                             {7, 7}};

TEST(Shard, of_one_is_everything) {
    for (const Axis& axis : axes) {
        const Interval whole = shard_of(axis.length, axis.unit, {});
        EXPECT_EQ(whole.begin, 0);
        EXPECT_EQ(whole.end, axis.length);
    }
}

TEST(Shard, covers_everything_once_at_any_degree) {
    for (const Axis& axis : axes) {
        for (int degree = 1; degree <= 64; ++degree) {
            std::int64_t end = 0;
            for (const Interval& part : all_shards(axis.length, axis.unit, degree)) {
                ASSERT_EQ(part.begin, end) << axis.length << " in " << degree;
                ASSERT_LE(part.begin, part.end) << axis.length << " in " << degree;
                end = part.end;
            }
            ASSERT_EQ(end, axis.length) << degree;
        }
    }
}

TEST(Shard, never_cuts_a_unit) {
    for (const Axis& axis : axes) {
        for (int degree = 1; degree <= 64; ++degree) {
            for (const Interval& part : all_shards(axis.length, axis.unit, degree)) {
                ASSERT_EQ(part.begin % axis.unit, 0) << axis.length << " in " << degree;
                ASSERT_EQ(part.end % axis.unit, 0) << axis.length << " in " << degree;
            }
        }
    }
}

TEST(Shard, is_larger_than_another_by_one_unit_at_most) {
    for (const Axis& axis : axes) {
        for (int degree = 1; degree <= 64; ++degree) {
            std::vector<std::int64_t> sizes;
            for (const Interval& part : all_shards(axis.length, axis.unit, degree)) {
                sizes.push_back(part.end - part.begin);
            }
            const auto [least, most] = std::minmax_element(sizes.begin(), sizes.end());
            ASSERT_LE(*most - *least, axis.unit) << axis.length << " in " << degree;
            const bool divides = axis.length / axis.unit % degree == 0;
            ASSERT_EQ(*most == *least, divides) << axis.length << " in " << degree;
        }
    }
}

// 12 heads of 128 on 64 ranks: 12 ranks have one, the others none.
TEST(Shard, is_empty_where_there_are_more_of_them_than_units) {
    int empty = 0;
    for (const Interval& part : all_shards(1536, 128, 64)) {
        const std::int64_t size = part.end - part.begin;
        EXPECT_TRUE(size == 0 || size == 128) << size;
        empty += size == 0 ? 1 : 0;
    }
    EXPECT_EQ(empty, 52);
}

TEST(Shard, of_nothing_is_empty) {
    for (const Interval& part : all_shards(0, 128, 8)) {
        EXPECT_EQ(part.begin, 0);
        EXPECT_EQ(part.end, 0);
    }
}

TEST(Shard, of_a_degree_that_divides_is_the_usual_one) {
    const Interval third = shard_of(5120, 128, {.degree = 8, .index = 3});
    EXPECT_EQ(third.begin, 3 * 640);
    EXPECT_EQ(third.end, 4 * 640);
}

}  // namespace
}  // namespace reelyard
