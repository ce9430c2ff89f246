#include "reelyard/report/scaling_table.hpp"

#include <gmock/gmock.h>

namespace reelyard::report {
namespace {

using testing::HasSubstr;

/// One video's steps on `ranks` ranks that are a group, or of their own.
RunRecord run_of(int ranks, int replicas, double step_seconds) {
    return {.ranks = ranks,
            .replicas = replicas,
            .layout = "a \"layout\", of some",
            .device = "cpu",
            .videos = 2,
            .steps = 20,
            .denoise_seconds = 20 * step_seconds,
            .received_bytes = 2000};
}

TEST(ScalingTable, a_group_that_halves_the_step_on_twice_the_ranks_is_efficient) {
    EXPECT_DOUBLE_EQ(efficiency(run_of(2, 1, 0.5), run_of(1, 1, 1.0)), 1.0);
    EXPECT_DOUBLE_EQ(efficiency(run_of(4, 1, 0.5), run_of(1, 1, 1.0)), 0.5);
}

TEST(ScalingTable, replicas_that_take_as_long_as_one_are_efficient) {
    EXPECT_DOUBLE_EQ(efficiency(run_of(4, 4, 1.0), run_of(1, 1, 1.0)), 1.0);
    EXPECT_DOUBLE_EQ(efficiency(run_of(8, 4, 1.0), run_of(2, 1, 1.0)), 1.0);
}

TEST(ScalingTable, csv_has_a_line_for_each_run_and_quotes_text) {
    const std::string csv = scaling_csv({run_of(1, 1, 1.0), run_of(2, 1, 0.8)});

    EXPECT_THAT(csv,
                HasSubstr("\n1,1,\"a \"\"layout\"\", of some\",cpu,1,2,20,0.000000,1.000000,"
                          "1.000000,1.000000,100,0\n"));
    EXPECT_THAT(csv, HasSubstr("\n2,1,"));
    EXPECT_THAT(csv, HasSubstr(",1.250000,0.625000,"));
}

TEST(ScalingTable, text_shows_efficiency_in_percent) {
    EXPECT_THAT(scaling_text({run_of(1, 1, 1.0), run_of(2, 1, 0.8)}), HasSubstr("62 %"));
}

TEST(ScalingTable, the_plot_has_a_mark_for_each_run_and_escapes_its_title) {
    const std::string svg = scaling_svg({run_of(1, 1, 1.0), run_of(2, 1, 0.8)}, "a<b & c");

    std::size_t marks = 0;
    for (auto at = svg.find("<circle"); at != std::string::npos; at = svg.find("<circle", at + 1)) {
        ++marks;
    }
    EXPECT_EQ(marks, 2U);
    EXPECT_THAT(svg, HasSubstr("a&lt;b &amp; c"));
    EXPECT_THAT(svg, testing::Not(HasSubstr("nan")));
}

TEST(ScalingTable, runs_without_steps_are_left_out_of_the_plot) {
    RunRecord idle = run_of(1, 1, 1.0);
    idle.steps = 0;
    idle.denoise_seconds = 0.0;

    EXPECT_THAT(scaling_svg({idle}, "idle"), testing::Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace reelyard::report
