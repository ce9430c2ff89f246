#include "reelyard/spec/task.hpp"

#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"
#include "reelyard/spec/task_result.hpp"

namespace reelyard {
namespace {

Task example() {
    return {.id = "cat-001",
            .prompt = "a \"cat\"\nin the rain, 雨",
            .negative_prompt = "blur",
            .seed = 18446744073709551615ULL,
            .size = {.width = 832, .height = 480, .frames = 81},
            .steps = 50,
            .guidance_scale = 5.25,
            .flow_shift = 3.0,
            .sampler = "unipc",
            .sigma_schedule = "official"};
}

TEST(Task, survives_its_text_form) {
    EXPECT_EQ(task_from_json(to_json(example())), example());
}

TEST(Task, is_one_line) {
    EXPECT_EQ(to_json(example()).find('\n'), std::string::npos);
}

TEST(Task, refuses_text_that_is_no_task) {
    EXPECT_THROW((void)task_from_json("{}"), Error);
    EXPECT_THROW((void)task_from_json("not json"), Error);
}

TEST(Task, costs_grow_with_steps_size_frames_and_guidance) {
    const double base = relative_cost(example());
    Task other = example();
    other.steps *= 2;
    EXPECT_DOUBLE_EQ(relative_cost(other), 2 * base);
    other = example();
    other.guidance_scale = 1.0;
    EXPECT_DOUBLE_EQ(relative_cost(other), base / 2);
    other = example();
    other.size.frames = 161;
    EXPECT_GT(relative_cost(other), 2 * base);
    other = example();
    other.size.width = 1280;
    EXPECT_GT(relative_cost(other), base);
}

TEST(TaskResult, survives_its_text_form) {
    const TaskResult result{.id = "a",
                            .state = TaskResult::State::failed,
                            .reason = "disk full",
                            .seconds = {{"denoise", 1.5}},
                            .files = {{"videos/a.mp4", "0123456789abcdef"}},
                            .bytes = {{"videos/a.mp4", 5000000000}},
                            .rank = 3};

    const TaskResult read = task_result_from_json(to_json(result));

    EXPECT_EQ(read.id, result.id);
    EXPECT_EQ(read.state, result.state);
    EXPECT_EQ(read.reason, result.reason);
    EXPECT_EQ(read.seconds, result.seconds);
    EXPECT_EQ(read.files, result.files);
    EXPECT_EQ(read.bytes, result.bytes);
    EXPECT_EQ(read.rank, result.rank);
}

}  // namespace
}  // namespace reelyard
