#include "reelyard/base/stop_signal.hpp"

#include <csignal>

#include <gtest/gtest.h>

namespace reelyard {
namespace {

TEST(StopSignal, a_signal_asks_for_a_stop_and_the_program_goes_on) {
    const StopSignal stop;
    EXPECT_FALSE(StopSignal::requested());

    std::raise(SIGTERM);

    EXPECT_TRUE(StopSignal::requested());
}

}  // namespace
}  // namespace reelyard
