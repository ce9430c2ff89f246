#include "reelyard/base/clock.hpp"

#include <regex>

#include <gtest/gtest.h>

namespace reelyard {
namespace {

TEST(Clock, writes_seconds_as_people_read_them) {
    EXPECT_EQ(format_seconds(0.0123), "12 ms");
    EXPECT_EQ(format_seconds(12.34), "12.3 s");
    EXPECT_EQ(format_seconds(200), "3 min 20 s");
    EXPECT_EQ(format_seconds(2 * 3600 + 5 * 60), "2 h 05 min");
}

TEST(Clock, rounds_to_the_next_hour_rather_than_to_sixty_minutes) {
    EXPECT_EQ(format_seconds(2 * 3600 - 1), "2 h 00 min");
}

TEST(Clock, stopwatch_never_runs_backwards) {
    const Stopwatch watch;
    const double first = watch.seconds();
    EXPECT_GE(first, 0.0);
    EXPECT_GE(watch.seconds(), first);
}

TEST(Clock, utc_now_is_iso_8601) {
    EXPECT_TRUE(std::regex_match(utc_now(), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")));
}

}  // namespace
}  // namespace reelyard
