#include "reelyard/nn/parallel.hpp"

#include <atomic>
#include <stdexcept>
#include <vector>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "reelyard/test/tensors.hpp"

namespace reelyard::nn {
namespace {

TEST(ForEachTask, runs_every_task_once) {
    const test::Threads threads(3);
    std::vector<std::atomic<int>> runs(100);

    for_each_task(100, [&](std::int64_t task) { ++runs[static_cast<std::size_t>(task)]; });

    for (const auto& count : runs) {
        EXPECT_EQ(count, 1);
    }
}

TEST(ForEachTask, does_nothing_without_tasks) {
    int runs = 0;

    EXPECT_NO_THROW(for_each_task(0, [&](std::int64_t) { ++runs; }));

    EXPECT_EQ(runs, 0);
}

TEST(ForEachTask, passes_on_an_exception_and_runs_the_other_tasks) {
    const test::Threads threads(2);
    std::atomic<int> runs = 0;

    EXPECT_THROW(for_each_task(10,
                               [&](std::int64_t task) {
                                   ++runs;
                                   if (task == 4) {
                                       throw std::runtime_error("task 4");
                                   }
                               }),
                 std::runtime_error);
    EXPECT_EQ(runs, 10);
}

TEST(ForEachTask, carries_inference_mode_into_the_tasks) {
    const test::Threads threads(2);
    const c10::InferenceMode mode;
    const at::Tensor sums = at::zeros({8});

    for_each_task(8,
                  [&](std::int64_t task) { sums.select(0, task).add_(static_cast<double>(task)); });

    EXPECT_TRUE(sums.equal(at::arange(8, at::kFloat)));
}

}  // namespace
}  // namespace reelyard::nn
