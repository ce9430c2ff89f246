#include "reelyard/plan/machine_speed.hpp"

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"

namespace reelyard::plan {
namespace {

using topology::LinkKind;

/// \param exchange seconds through memory, as the speeds of links say
MeasuredStep step(double multiply_adds, double exchange, double seconds) {
    MeasuredStep measured{.cost = {.multiply_adds = multiply_adds}, .seconds = seconds};
    if (exchange > 0.0) {
        measured.cost.exchange_seconds[LinkKind::memory] = exchange;
    }
    return measured;
}

TEST(MachineSpeed, of_one_rank_is_its_seconds_for_each_operation) {
    const MachineSpeed speed = fit_speed({step(1e9, 0.0, 2.0)});

    EXPECT_DOUBLE_EQ(speed.multiply_add_seconds, 2e-9);
    EXPECT_DOUBLE_EQ(speed.step_seconds(step(0.5e9, 0.3, 1.0).cost), 1.0 + 0.3);
}

TEST(MachineSpeed, tells_computing_from_exchange_where_runs_differ) {
    // 3 ns an operation, exchange that takes 2.5 times as long as it should.
    const MachineSpeed speed = fit_speed(
        {step(1e9, 0.0, 3.0), step(0.5e9, 0.1, 1.5 + 0.25), step(0.25e9, 0.2, 0.75 + 0.5)});

    EXPECT_NEAR(speed.multiply_add_seconds, 3e-9, 1e-15);
    EXPECT_NEAR(speed.exchange_factor, 2.5, 1e-6);
    EXPECT_NEAR(speed.step_seconds(step(1e8, 0.4, 1.0).cost), 0.3 + 1.0, 1e-6);
}

TEST(MachineSpeed, takes_links_that_were_not_measured_as_they_are) {
    const MachineSpeed speed = fit_speed({step(1e9, 0.0, 1.0), step(0.5e9, 0.1, 0.5 + 0.3)});
    StepCost cost{.multiply_adds = 1e8};
    cost.exchange_seconds = {{LinkKind::memory, 0.1}, {LinkKind::network, 0.2}};

    EXPECT_NEAR(speed.step_seconds(cost), 0.1 + 3 * 0.1 + 0.2, 1e-6);
}

TEST(MachineSpeed, exchange_is_never_taken_for_a_gain) {
    const MachineSpeed speed = fit_speed({step(1e9, 0.0, 1.0), step(0.5e9, 0.1, 0.4)});

    EXPECT_EQ(speed.exchange_factor, 0.0);
    EXPECT_GT(speed.multiply_add_seconds, 0.8e-9);
    EXPECT_LT(speed.multiply_add_seconds, 1e-9);
}

TEST(MachineSpeed, one_group_alone_has_exchange_as_its_links_say) {
    const MachineSpeed speed = fit_speed({step(1e9, 0.25, 1.25)});

    EXPECT_DOUBLE_EQ(speed.multiply_add_seconds, 1e-9);
    EXPECT_EQ(speed.exchange_factor, 1.0);
}

TEST(MachineSpeed, steps_that_leave_no_time_to_compute_are_refused) {
    try {
        (void)fit_speed({step(1e9, 2.0, 1.0)});
        ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.message(), testing::HasSubstr("fewer ranks for a video"));
    }
}

}  // namespace
}  // namespace reelyard::plan
