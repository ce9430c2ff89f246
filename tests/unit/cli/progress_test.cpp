#include "../../../src/cli/progress.hpp"

#include <sstream>
#include <thread>

#include <gmock/gmock.h>

namespace reelyard::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

/// Catches what is shown, at times that the test sets.
class Progress : public testing::Test {
protected:
    [[nodiscard]] ProgressOutput bar(int columns = 100) {
        return {.terminal = &terminal_, .columns = columns, .clock_s = [this] {
                    return now_s_;
                }};
    }
    [[nodiscard]] ProgressOutput lines() {
        return {.say = [this](const std::string& line) { lines_.push_back(line); },
                .clock_s =
                    [this] {
                        return now_s_;
                    }};
    }

    /// What the terminal was given since the last call.
    std::string drawn() {
        auto text = terminal_.str();
        terminal_.str("");
        return text;
    }

    /// A task of `steps` steps; all else equal, costs are as steps.
    static Task task(const std::string& id, std::int64_t steps) {
        return {.id = id,
                .prompt = "x",
                .negative_prompt = {},
                .seed = 0,
                .size = {64, 64, 5},
                .steps = steps,
                .guidance_scale = 5.0,
                .flow_shift = 5.0,
                .sampler = "unipc",
                .sigma_schedule = "official"};
    }
    static TaskResult result(const std::string& id,
                             int rank,
                             TaskResult::State state = TaskResult::State::done) {
        return {.id = id, .state = state, .reason = {}, .rank = rank};
    }

    double now_s_ = 1000.0;
    std::ostringstream terminal_;
    std::vector<std::string> lines_;
};

TEST_F(Progress, draws_a_bar_over_the_one_before) {
    ProgressLine line("videos", bar());

    line.show({.fraction = 0.25, .text = "3/12", .seconds_left = 80.0});

    EXPECT_EQ(drawn(), "\rvideos [#####---------------]  25%  3/12, 1 min 20 s left\x1b[K");
}

TEST_F(Progress, draws_ten_times_a_second_at_most) {
    ProgressLine line("x", bar());
    line.show({.fraction = 0.1, .text = "a"});
    (void)drawn();

    now_s_ += 0.09;
    line.show({.fraction = 0.2, .text = "b"});
    EXPECT_EQ(drawn(), "");

    now_s_ += 0.02;
    line.show({.fraction = 0.3, .text = "c"});
    EXPECT_EQ(drawn(), "\rx [######--------------]  30%  c\x1b[K");
}

TEST_F(Progress, keeps_the_bar_within_the_terminal) {
    ProgressLine line("videos", bar(20));

    line.show({.fraction = 1.0, .text = "all"});

    EXPECT_EQ(drawn(), "\rvideos [###########\x1b[K");
}

TEST_F(Progress, always_shows_the_end_and_ends_the_line) {
    ProgressLine line("x", bar());
    line.show({.fraction = 0.99, .text = "nearly"});
    (void)drawn();

    line.finish({.fraction = 1.0, .text = "all"});

    EXPECT_EQ(drawn(), "\rx [####################] 100%  all\x1b[K\n");
}

TEST_F(Progress, leaves_the_line_when_it_ends_early) {
    {
        ProgressLine line("x", bar());
        line.show({.fraction = 0.5, .text = "half"});
        (void)drawn();
    }

    EXPECT_EQ(drawn(), "\n");
}

TEST_F(Progress, says_a_plain_line_every_fifteen_seconds_and_at_the_end) {
    ProgressLine line("videos", lines());

    for (int second = 0; second < 40; ++second) {
        now_s_ = 1000.0 + second;
        line.show({.fraction = second / 100.0, .text = std::to_string(second)});
    }
    line.finish({.fraction = 1.0, .text = "100"});

    EXPECT_THAT(lines_, ElementsAre("videos: 15 (15%)", "videos: 30 (30%)", "videos: 100 (100%)"));
    EXPECT_EQ(drawn(), "");
}

TEST_F(Progress, is_silent_without_an_output) {
    ProgressLine line("x", {});

    line.show({.fraction = 0.5, .text = "half"});
    line.finish({.fraction = 1.0, .text = "all"});

    EXPECT_EQ(drawn(), "");
    EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(Progress, says_nothing_on_ranks_other_than_zero_and_draws_nothing_when_quiet) {
    EXPECT_EQ(choose_progress_output(1, false).terminal, nullptr);
    EXPECT_FALSE(choose_progress_output(1, false).say);
    EXPECT_EQ(choose_progress_output(0, true).terminal, nullptr);
}

TEST_F(Progress, counts_bytes_and_foresees_their_end) {
    ByteProgress bytes("import", bar());
    now_s_ += 30.0;

    bytes.show(std::int64_t{1} << 30, std::int64_t{4} << 30);
    EXPECT_EQ(drawn(),
              "\rimport [#####---------------]  25%  1.00 GiB of 4.00 GiB, 1 min 30 s left\x1b[K");

    bytes.show(std::int64_t{4} << 30, std::int64_t{4} << 30);
    EXPECT_EQ(drawn(), "\rimport [####################] 100%  4.00 GiB of 4.00 GiB\x1b[K\n");
}

TEST_F(Progress, ends_at_once_when_there_are_no_bytes) {
    ByteProgress bytes("import", lines());

    bytes.show(0, 0);

    EXPECT_THAT(lines_, ElementsAre("import: 0 B of 0 B (100%)"));
}

TEST_F(Progress, shows_tasks_of_all_ranks_and_steps_of_its_own) {
    const std::vector<Task> tasks{task("a", 40), task("b", 40), task("c", 10), task("d", 10)};
    TaskProgress progress(tasks, 2, bar());

    now_s_ += 10.0;
    progress.step(tasks[0], {.step = 20, .steps = 40});
    // 20 of 100 steps after 10 s on this rank; two ranks do the other 80 in 20 s.
    EXPECT_EQ(drawn(), "\rvideos [####----------------]  20%  0/4, step 20/40, 20.0 s left\x1b[K");

    now_s_ += 10.0;
    progress.step(tasks[0], {.step = 40, .steps = 40});
    EXPECT_EQ(drawn(), "\rvideos [########------------]  40%  0/4, step 40/40, 15.0 s left\x1b[K");

    now_s_ += 4.0;
    progress.finished(result("b", 1, TaskResult::State::failed));
    EXPECT_EQ(drawn(),
              "\rvideos [################----]  80%  1/4, 1 failed, step 40/40, 6.0 s left"
              "\x1b[K");

    now_s_ += 4.0;
    progress.finished(result("a", 0));
    EXPECT_EQ(drawn(), "\rvideos [################----]  80%  2/4, 1 failed, 7.0 s left\x1b[K");

    now_s_ += 0.2;
    progress.finished(result("c", 0));
    progress.finished(result("d", 1));
    (void)drawn();
    progress.finish();
    EXPECT_EQ(drawn(), "\rvideos [####################] 100%  4/4, 1 failed\x1b[K\n");
}

TEST_F(Progress, does_not_count_a_stopped_task) {
    TaskProgress progress({task("a", 10), task("b", 10)}, 1, lines());

    progress.finished(result("a", 0));
    progress.finished(result("b", 0, TaskResult::State::stopped));
    progress.finish();

    EXPECT_THAT(lines_, ElementsAre("videos: 1/2 (50%)"));
}

TEST_F(Progress, foresees_nothing_before_the_first_step) {
    TaskProgress progress({task("a", 10), task("b", 10)}, 2, lines());

    now_s_ += 20.0;
    progress.finished(result("b", 1));

    EXPECT_THAT(lines_, ElementsAre("videos: 1/2 (50%)"));
}

TEST_F(Progress, takes_calls_of_several_threads) {
    std::vector<Task> tasks;
    for (int i = 0; i < 200; ++i) {
        tasks.push_back(task(std::to_string(i), 10));
    }
    TaskProgress progress(tasks, 2, lines());

    std::thread others([&] {
        for (int i = 0; i < 100; ++i) {
            progress.finished(result(std::to_string(i), 1));
        }
    });
    for (int i = 100; i < 200; ++i) {
        progress.step(tasks[static_cast<std::size_t>(i)], {.step = 5, .steps = 10});
        progress.finished(result(std::to_string(i), 0));
    }
    others.join();
    progress.finish();

    EXPECT_THAT(lines_, ElementsAre("videos: 200/200 (100%)"));
}

}  // namespace
}  // namespace reelyard::cli
