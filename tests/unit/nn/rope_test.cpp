#include "reelyard/nn/rope.hpp"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace reelyard::nn {
namespace {

/// The angle of pair `pair` at a position of the grid {4, 3, 5}.
double angle(const RotaryTable& table, std::int64_t position, std::int64_t pair) {
    const double sine = table.sine[position][2 * pair + 1].item<double>();
    return std::atan2(sine, table.cosine[position][2 * pair].item<double>());
}

TEST(Rope, shares_the_pairs_of_a_head_of_128_as_22_21_21) {
    const RotaryTable table = rotary_table(128, {4, 3, 5});
    const std::int64_t at_time_1 = 15;
    const std::int64_t at_row_1 = 5;
    const std::int64_t at_column_1 = 1;

    EXPECT_NEAR(angle(table, at_time_1, 0), 1.0, 1e-6);
    EXPECT_NEAR(angle(table, at_time_1, 1), 0.657933224657568, 1e-6);
    EXPECT_NEAR(angle(table, at_time_1, 21), 1.519911082952933e-4, 1e-9);
    EXPECT_EQ(angle(table, at_time_1, 22), 0.0);
    EXPECT_NEAR(angle(table, at_row_1, 22), 1.0, 1e-6);
    EXPECT_NEAR(angle(table, at_row_1, 23), 0.6449466771037624, 1e-6);
    EXPECT_NEAR(angle(table, at_row_1, 42), 1.5505157798326253e-4, 1e-9);
    EXPECT_EQ(angle(table, at_row_1, 43), 0.0);
    EXPECT_NEAR(angle(table, at_column_1, 43), 1.0, 1e-6);
    EXPECT_NEAR(angle(table, at_column_1, 63), 1.5505157798326253e-4, 1e-9);
    EXPECT_EQ(angle(table, at_column_1, 21), 0.0);
}

TEST(Rope, gives_time_the_pairs_that_do_not_divide) {
    const RotaryTable table = rotary_table(10, {2, 2, 2});  // 5 pairs: 3, 1, 1

    EXPECT_NEAR(angle(table, 4, 2), std::pow(10000.0, -4.0 / 6.0), 1e-8);
    EXPECT_NEAR(angle(table, 2, 3), 1.0, 1e-6);
    EXPECT_NEAR(angle(table, 1, 4), 1.0, 1e-6);
}

TEST(Rope, serves_heads_too_narrow_for_three_axes) {
    const RotaryTable table = rotary_table(4, {2, 2, 2});  // 2 pairs: 2, 0, 0

    EXPECT_EQ(table.cosine.size(1), 4);
    EXPECT_EQ(angle(table, 3, 0), 0.0);
    EXPECT_NEAR(angle(table, 4, 1), 0.01, 1e-8);
}

}  // namespace
}  // namespace reelyard::nn
