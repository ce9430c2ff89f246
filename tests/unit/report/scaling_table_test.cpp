#include "reelyard/report/scaling_table.hpp"

#include <gmock/gmock.h>

namespace reelyard::report {
namespace {

using testing::HasSubstr;

using testing::Not;

/// Groups of `ranks / replicas` ranks.
ScalingRow row_of(int ranks, int replicas, double step_seconds) {
    return {.ranks = ranks,
            .layout = {.replicas = replicas, .ring = ranks / replicas},
            .device = "cpu",
            .videos = 2,
            .steps = 20,
            .step_seconds = step_seconds,
            .received_bytes = 100};
}

ScalingRow predicted(ScalingRow row) {
    row.source = ScalingRow::Source::predicted;
    return row;
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
        ++count;
    }
    return count;
}

TEST(ScalingTable, a_run_becomes_what_its_mean_step_took_and_received) {
    RunRecord run{.ranks = 4, .layout = {.replicas = 2, .ring = 2}, .device = "cpu"};
    run.steps = 20;
    run.denoise_seconds = 10.0;
    run.received_bytes = 2000;

    const ScalingRow row = measured_row(run);

    EXPECT_EQ(row.source, ScalingRow::Source::measured);
    EXPECT_DOUBLE_EQ(row.step_seconds, 0.5);
    EXPECT_DOUBLE_EQ(row.steps_per_second(), 4.0);
    // Each of the two groups made ten of the steps.
    EXPECT_DOUBLE_EQ(row.received_bytes, 200.0);
}

TEST(ScalingTable, a_group_that_halves_the_step_on_twice_the_ranks_is_efficient) {
    EXPECT_DOUBLE_EQ(efficiency(row_of(2, 1, 0.5), row_of(1, 1, 1.0)), 1.0);
    EXPECT_DOUBLE_EQ(efficiency(row_of(4, 1, 0.5), row_of(1, 1, 1.0)), 0.5);
}

TEST(ScalingTable, replicas_that_take_as_long_as_one_are_efficient) {
    EXPECT_DOUBLE_EQ(efficiency(row_of(4, 4, 1.0), row_of(1, 1, 1.0)), 1.0);
    EXPECT_DOUBLE_EQ(efficiency(row_of(8, 4, 1.0), row_of(2, 1, 1.0)), 1.0);
}

TEST(ScalingTable, csv_has_a_line_for_each_row_and_says_where_it_is_from) {
    const std::string csv = scaling_csv({row_of(1, 1, 1.0), predicted(row_of(2, 1, 0.8))});

    EXPECT_THAT(csv,
                HasSubstr("\n1,1,\"1 replica of 1 rank\",cpu,1,2,20,0.000000,1.000000,"
                          "1.000000,1.000000,100,0,measured\n"));
    EXPECT_THAT(csv, HasSubstr("\n2,1,\"1 replica of ring 2\","));
    EXPECT_THAT(csv, HasSubstr(",1.250000,0.625000,100,0,predicted\n"));
    EXPECT_THAT(csv, HasSubstr(",peak_bytes,source\n"));
}

TEST(ScalingTable, text_shows_efficiency_in_percent_and_where_each_line_is_from) {
    const std::string text = scaling_text({row_of(1, 1, 1.0), predicted(row_of(2, 1, 0.8))});

    EXPECT_THAT(text, HasSubstr("62 %"));
    EXPECT_THAT(text, testing::ContainsRegex("\n +1 [^\n]* measured\n +2 [^\n]* predicted\n"));
}

TEST(ScalingTable, the_plot_has_a_mark_for_each_run_and_one_in_its_legend) {
    const std::string svg = scaling_svg({row_of(1, 1, 1.0), row_of(2, 1, 0.8)}, "a<b & c");

    EXPECT_EQ(count_of(svg, "<circle"), 2U + 1U);
    EXPECT_EQ(count_of(svg, "class=\"legend\""), 2U);
    EXPECT_THAT(svg, Not(HasSubstr("predicted")));
    EXPECT_THAT(svg, HasSubstr("a&lt;b &amp; c"));
    EXPECT_THAT(svg, Not(HasSubstr("nan")));
}

TEST(ScalingTable, the_plot_draws_what_is_predicted_hollow) {
    const std::string svg = scaling_svg(
        {row_of(1, 1, 1.0), predicted(row_of(2, 1, 0.8)), predicted(row_of(4, 1, 0.7))}, "any");

    EXPECT_EQ(count_of(svg, "r=\"4\" fill=\"white\""), 2U + 1U);
    EXPECT_EQ(count_of(svg, "<circle"), 3U + 2U);
    EXPECT_THAT(svg, HasSubstr(">predicted</text>"));
}

TEST(ScalingTable, runs_without_steps_are_left_out_of_the_plot) {
    EXPECT_THAT(scaling_svg({row_of(1, 1, 0.0)}, "idle"), Not(HasSubstr("nan")));
}

}  // namespace
}  // namespace reelyard::report
