#include "reelyard/mpi/clock_offset.hpp"

#include <cstdint>
#include <cstdlib>

#include <gtest/gtest.h>

#include "reelyard/base/clock.hpp"

#include "reelyard/test/shared_folder.hpp"

namespace reelyard::mpi {
namespace {

constexpr std::int64_t hour = 3'600'000'000'000;  // nanoseconds

/// One after the other on the same clock, so that what is found can be compared with what it took.
TEST(ClockOffset, is_found_to_within_the_time_that_finding_it_takes) {
    const Communicator ranks = test::world();
    const NodeLayout nodes(ranks, 1);
    const auto clock = [&] {
        return monotonic_nanoseconds() + nodes.own_node() * hour;
    };
    ranks.barrier();
    const std::int64_t before = monotonic_nanoseconds();

    const std::int64_t offset = clock_offset(ranks, nodes, clock);

    const std::int64_t took = monotonic_nanoseconds() - before;
    EXPECT_LE(std::abs(offset - nodes.own_node() * hour), took);
}

TEST(ClockOffset, is_the_same_on_the_ranks_of_a_node) {
    const Communicator ranks = test::world();
    const NodeLayout nodes(ranks, 2);
    const auto clock = [&] {
        return monotonic_nanoseconds() + nodes.own_node() * hour;
    };

    const std::int64_t offset = clock_offset(ranks, nodes, clock);

    EXPECT_EQ(nodes.node().max(offset), offset);
    EXPECT_EQ(offset == 0, nodes.own_node() == 0);
}

}  // namespace
}  // namespace reelyard::mpi
