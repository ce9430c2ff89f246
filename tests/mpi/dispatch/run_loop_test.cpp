#include "reelyard/dispatch/run_loop.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/check.hpp"

namespace reelyard::dispatch {
namespace {

using testing::HasSubstr;

mpi::Communicator copy_of_world() {
    MPI_Comm copy = MPI_COMM_NULL;
    mpi::check(MPI_Comm_dup(MPI_COMM_WORLD, &copy), "MPI_Comm_dup");
    return mpi::Communicator::adopt(copy);
}

Task task(std::size_t number, std::int64_t steps) {
    return {.id = std::to_string(number),
            .prompt = "a prompt",
            .negative_prompt = {},
            .seed = 1,
            .size = {64, 64, 5},
            .steps = steps,
            .guidance_scale = 5.0,
            .flow_shift = 3.0,
            .sampler = "unipc",
            .sigma_schedule = "official"};
}

std::vector<Task> equal_tasks(std::size_t count) {
    std::vector<Task> tasks;
    for (std::size_t i = 0; i < count; ++i) {
        tasks.push_back(task(i, 10));
    }
    return tasks;
}

bool never() {
    return false;
}

class RunTasks : public testing::Test {
protected:
    [[nodiscard]] std::size_t ranks() const { return static_cast<std::size_t>(world_.size()); }
    [[nodiscard]] bool is_last() const { return world_.rank() + 1 == world_.size(); }

    TaskResult done(const Task& each) {
        ran_.push_back(each.id);
        return {
            .id = each.id, .state = TaskResult::State::done, .reason = {}, .rank = world_.rank()};
    }

    /// Waits in the first task of this rank until every rank has one.
    void meet_in_first_task() {
        if (ran_.empty()) {
            meeting_.barrier();
        }
    }

    void consume(const TaskResult& result) {
        consumed_.push_back(result);
        from_others_ += result.rank != 0 ? 1 : 0;
    }

    [[nodiscard]] std::vector<std::string> consumed_ids() const {
        std::vector<std::string> ids;
        for (const auto& result : consumed_) {
            ids.push_back(result.id);
        }
        return ids;
    }

    [[nodiscard]] std::int64_t runs_on_all_ranks() const {
        return world_.sum(static_cast<std::int64_t>(ran_.size()));
    }

    std::vector<WorkShare> run(const std::vector<Task>& tasks,
                               const TaskRunner& runner,
                               const StopQuestion& stop = never) {
        return run_tasks(
            world_, tasks, runner, [&](const auto& each) { consume(each); }, stop);
    }

    mpi::Communicator world_ = copy_of_world();
    mpi::Communicator meeting_ = copy_of_world();
    std::vector<std::string> ran_;      // on this rank, in order
    std::vector<TaskResult> consumed_;  // on rank 0
    std::atomic<int> from_others_ = 0;
};

/// The Error that `body` throws.
template <typename Body>
Error error_of(Body&& body) {
    try {
        body();
    } catch (const Error& error) {
        return error;
    }
    return {ErrorKind::usage, "no error"};
}

TEST_F(RunTasks, does_every_task_exactly_once) {
    const auto tasks = equal_tasks(25);

    const auto shares = run(tasks, [&](const Task& each) { return done(each); });

    EXPECT_EQ(runs_on_all_ranks(), 25);
    if (world_.rank() != 0) {
        EXPECT_TRUE(shares.empty());
        EXPECT_TRUE(consumed_.empty());
        return;
    }
    std::vector<std::string> all;
    for (const auto& each : tasks) {
        all.push_back(each.id);
    }
    EXPECT_THAT(consumed_ids(), testing::UnorderedElementsAreArray(all));
    ASSERT_EQ(shares.size(), ranks());
    int tasks_in_shares = 0;
    for (std::size_t rank = 0; rank < ranks(); ++rank) {
        EXPECT_EQ(shares[rank].rank, static_cast<int>(rank));
        EXPECT_LE(shares[rank].busy_seconds, shares[rank].total_seconds);
        tasks_in_shares += shares[rank].tasks;
    }
    EXPECT_EQ(tasks_in_shares, 25);
}

TEST_F(RunTasks, begins_with_the_longest_and_keeps_the_order_of_equal_ones) {
    std::vector<Task> tasks;
    const std::vector<std::int64_t> steps{5, 50, 20, 50, 1, 20, 50, 7};
    for (std::size_t i = 0; i < steps.size(); ++i) {
        tasks.push_back(task(i, steps[i]));
    }
    const std::vector<std::string> longest_first{"1", "3", "6", "2", "5", "7", "0", "4"};

    (void)run(tasks, [&](const Task& each) { return done(each); });

    // Each rank's own tasks are a part of that order; alone it has all of it.
    auto at = longest_first.begin();
    for (const auto& id : ran_) {
        at = std::find(at, longest_first.end(), id);
        ASSERT_NE(at, longest_first.end()) << id;
        ++at;
    }
    if (ranks() == 1) {
        EXPECT_EQ(ran_, longest_first);
    }
}

TEST_F(RunTasks, lets_all_ranks_work_at_the_same_time_the_leader_too) {
    const auto shares = run(equal_tasks(ranks()), [&](const Task& each) {
        meet_in_first_task();
        return done(each);
    });

    EXPECT_EQ(ran_.size(), 1u);
    for (const auto& share : shares) {
        EXPECT_EQ(share.tasks, 1) << share.rank;
    }
}

TEST_F(RunTasks, copes_with_no_task_and_with_fewer_tasks_than_ranks) {
    const auto runner = [&](const Task& each) {
        return done(each);
    };

    const auto shares = run({}, runner);
    EXPECT_EQ(shares.size(), world_.rank() == 0 ? ranks() : 0);
    EXPECT_EQ(runs_on_all_ranks(), 0);

    (void)run(equal_tasks(1), runner);
    EXPECT_EQ(runs_on_all_ranks(), 1);
    EXPECT_EQ(consumed_.size(), world_.rank() == 0 ? 1u : 0u);
}

TEST_F(RunTasks, brings_results_of_failed_tasks_whole) {
    (void)run(equal_tasks(6), [&](const Task& each) {
        auto result = done(each);
        if (each.id == "3") {
            result.state = TaskResult::State::failed;
            result.reason = "the picture is \"black\"\n";
        }
        result.seconds["denoise"] = 1.5;
        result.files["videos/" + each.id + ".mp4"] = "00ff";
        result.bytes["videos/" + each.id + ".mp4"] = 1234;
        return result;
    });

    for (const auto& result : consumed_) {
        const bool failed = result.id == "3";
        EXPECT_EQ(result.state, failed ? TaskResult::State::failed : TaskResult::State::done);
        EXPECT_EQ(result.reason, failed ? "the picture is \"black\"\n" : "");
        EXPECT_EQ(result.seconds.at("denoise"), 1.5);
        EXPECT_EQ(result.files.at("videos/" + result.id + ".mp4"), "00ff");
        EXPECT_EQ(result.bytes.at("videos/" + result.id + ".mp4"), 1234);
    }
    EXPECT_EQ(consumed_.size(), world_.rank() == 0 ? 6u : 0u);
}

TEST_F(RunTasks, ends_on_all_ranks_when_a_result_cannot_be_kept) {
    int calls = 0;
    const auto keep = [&](const TaskResult&) {
        ++calls;
        require(calls < 3, ErrorKind::resources, "manifest.jsonl: the disk is full");
    };

    const auto error = error_of([&] {
        (void)run_tasks(
            world_, equal_tasks(100), [&](const Task& each) { return done(each); }, keep, never);
    });

    EXPECT_EQ(error.kind(), ErrorKind::resources);
    EXPECT_EQ(error.message(), "manifest.jsonl: the disk is full");
    EXPECT_TRUE(error.is_shared());
    EXPECT_EQ(calls, world_.rank() == 0 ? 3 : 0);
    // Those that were under way when the third came.
    EXPECT_LE(runs_on_all_ranks(), 3 + world_.size() - 1);
}

TEST_F(RunTasks, ends_on_all_ranks_when_a_runner_throws_and_keeps_the_other_results) {
    const auto error = error_of([&] {
        (void)run(equal_tasks(ranks()), [&](const Task& each) {
            meet_in_first_task();
            if (is_last()) {
                fail(ErrorKind::storage, "out/videos: Input/output error");
            }
            return done(each);
        });
    });

    EXPECT_EQ(error.kind(), ErrorKind::storage);
    EXPECT_EQ(error.message(), "out/videos: Input/output error");
    EXPECT_TRUE(error.is_shared());
    if (!is_last()) {
        EXPECT_THAT(error.context(),
                    testing::Contains("on rank " + std::to_string(world_.size() - 1)));
    }
    EXPECT_EQ(consumed_.size(), world_.rank() == 0 ? ranks() - 1 : 0);
}

TEST_F(RunTasks, hands_out_nothing_more_after_a_runner_threw) {
    const auto error = error_of([&] {
        (void)run(equal_tasks(1000), [&](const Task& each) -> TaskResult {
            ran_.push_back(each.id);
            throw std::runtime_error("unforeseen");
        });
    });

    EXPECT_EQ(error.kind(), ErrorKind::internal);
    EXPECT_EQ(error.message(), "unforeseen");
    EXPECT_LE(ran_.size(), 1u);
}

TEST_F(RunTasks, stops_handing_out_when_the_leader_is_asked_to) {
    std::atomic<int> asked = 0;
    const auto after_three = [&] {
        return world_.rank() == 0 && ++asked > 3;
    };

    const auto shares = run(
        equal_tasks(100), [&](const Task& each) { return done(each); }, after_three);

    EXPECT_EQ(runs_on_all_ranks(), 3);
    EXPECT_EQ(consumed_.size(), world_.rank() == 0 ? 3u : 0u);
    EXPECT_EQ(shares.size(), world_.rank() == 0 ? ranks() : 0);
}

TEST_F(RunTasks, stops_handing_out_when_another_rank_is_asked_to) {
    const bool is_leader = world_.rank() == 0;
    const auto others_after_one = [&] {
        return !is_leader && !ran_.empty();
    };

    (void)run(
        equal_tasks(100),
        [&](const Task& each) {
            meet_in_first_task();
            // From its second task on the leader waits until it knows that the others want to stop.
            while (is_leader && !ran_.empty() && from_others_ + 1 < world_.size()) {
                std::this_thread::yield();
            }
            return done(each);
        },
        others_after_one);

    if (ranks() == 1) {
        EXPECT_EQ(ran_.size(), 100u);
    } else {
        EXPECT_LE(ran_.size(), is_leader ? 2u : 1u);
        EXPECT_EQ(consumed_.size(), is_leader ? ran_.size() + ranks() - 1 : 0);
    }
}

/// Halves of tasks: the last rank only finishes what others have begun, where there are others.
class RunTasksInHalves : public RunTasks {
protected:
    [[nodiscard]] Post post() const {
        return is_last() && world_.rank() > 0 ? Post::second_halves : Post::whole_tasks;
    }

    TaskResult begin(const Task& each) {
        begun_.push_back(each.id);
        return {.id = each.id,
                .state = TaskResult::State::begun,
                .reason = {},
                .seconds = {{"denoise", 2.0}},
                .rank = world_.rank()};
    }

    TaskResult finish(const Task& each) {
        TaskResult result = done(each);
        result.seconds["decode"] = 1.0;
        return result;
    }

    std::vector<WorkShare> run_halves(const std::vector<Task>& tasks, const HalfRunners& halves) {
        return run_tasks_in_halves(
            world_, tasks, halves, post(), [&](const auto& each) { consume(each); }, never);
    }

    HalfRunners halves() {
        return {.begin = [this](const Task& each) { return begin(each); },
                .finish =
                    [this](const Task& each) {
                        return finish(each);
                    }};
    }

    std::vector<std::string> begun_;  // on this rank
};

TEST_F(RunTasksInHalves, every_half_is_done_once_and_results_have_both) {
    const auto shares = run_halves(equal_tasks(25), halves());

    EXPECT_EQ(world_.sum(static_cast<std::int64_t>(begun_.size())), 25);
    EXPECT_EQ(runs_on_all_ranks(), 25);
    EXPECT_EQ(consumed_.size(), world_.rank() == 0 ? 25u : 0u);
    for (const TaskResult& result : consumed_) {
        EXPECT_EQ(result.state, TaskResult::State::done);
        EXPECT_EQ(result.seconds.at("denoise"), 2.0);
        EXPECT_EQ(result.seconds.at("decode"), 1.0);
    }
    if (post() == Post::second_halves) {
        EXPECT_TRUE(begun_.empty());
    }
    if (world_.rank() == 0 && ranks() > 1) {
        EXPECT_EQ(shares.back().post, Post::second_halves);
    }
}

TEST_F(RunTasksInHalves, rank_without_tasks_of_its_own_finishes_those_of_others) {
    if (ranks() == 1) {
        return;
    }
    HalfRunners telling = halves();
    bool is_told = false;
    // Rank 0 takes its time until it hears of a task that was finished elsewhere.
    telling.begin = [&](const Task& each) {
        for (int look = 0; look < 1000 && world_.rank() == 0 && !is_told; ++look) {
            is_told = meeting_.probe().has_value();
        }
        return begin(each);
    };
    telling.finish = [&](const Task& each) {
        if (is_last() && ran_.empty()) {
            meeting_.send_text(each.id, 0, 1);
        }
        return finish(each);
    };

    (void)run_halves(equal_tasks(5000), telling);

    if (world_.rank() == 0) {
        const std::string id = meeting_.receive_text(world_.size() - 1, 1);
        const auto found = std::find_if(consumed_.begin(),
                                        consumed_.end(),
                                        [&](const TaskResult& each) { return each.id == id; });
        ASSERT_NE(found, consumed_.end());
        EXPECT_NE(found->rank, world_.size() - 1) << "of the rank that began it";
    }
    EXPECT_EQ(runs_on_all_ranks(), 5000);
}

TEST_F(RunTasksInHalves, failure_of_a_second_half_elsewhere_ends_the_run_on_all_ranks) {
    HalfRunners failing = halves();
    failing.finish = [](const Task& /*each*/) -> TaskResult {
        fail(ErrorKind::storage, "out/latents/0.safetensors: not there");
    };

    const auto error = error_of([&] { (void)run_halves(equal_tasks(50), failing); });

    EXPECT_EQ(error.kind(), ErrorKind::storage);
    EXPECT_EQ(error.message(), "out/latents/0.safetensors: not there");
    EXPECT_LE(world_.sum(static_cast<std::int64_t>(begun_.size())), 2 * world_.size());
}

TEST_F(RunTasks, can_run_again_on_the_same_ranks) {
    for (int repetition = 0; repetition < 20; ++repetition) {
        (void)run(equal_tasks(5), [&](const Task& each) { return done(each); });
    }

    EXPECT_EQ(runs_on_all_ranks(), 100);
}

}  // namespace
}  // namespace reelyard::dispatch
