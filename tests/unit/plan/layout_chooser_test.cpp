#include "reelyard/plan/layout_chooser.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"

#include "hardware.hpp"

namespace reelyard::plan {
namespace {

using testing::AllOf;
using testing::HasSubstr;

Workload videos(std::int64_t count, std::int64_t tokens = test::tokens_480p) {
    return {.tokens = tokens, .fewest_tokens = tokens, .videos = count};
}

std::string chosen(const topology::Inventory& inventory,
                   const Workload& workload,
                   const LayoutWish& wish) {
    const ModelSpec model = test::large_model();
    return to_string(
        choose_layout({.model = model, .inventory = inventory, .workload = workload}, wish).layout);
}

std::string refusal_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.message();
    }
    return "accepted";
}

TEST(LayoutChooser, gives_each_rank_videos_of_its_own_where_they_fit) {
    EXPECT_EQ(chosen(test::gpu_nodes(1), videos(100), {}), "8 replicas of 1 rank");
}

TEST(LayoutChooser, lets_ranks_share_videos_that_are_fewer_than_they_are) {
    const topology::Inventory node = test::gpu_nodes(1);

    EXPECT_EQ(chosen(node, videos(1), {}), "1 replica of cfg 2 x ulysses 4");
    EXPECT_EQ(chosen(node, videos(4), {}), "4 replicas of cfg 2");
    EXPECT_EQ(chosen(test::gpu_nodes(8), videos(3), {}), "4 replicas of cfg 2 x ulysses 8");
    // Two rounds of pairs would take longer than one of single ranks, one of which is idle.
    EXPECT_EQ(chosen(node, videos(7), {}), "8 replicas of 1 rank");
    EXPECT_EQ(chosen(node, videos(8), {}), "8 replicas of 1 rank");
}

TEST(LayoutChooser, says_when_ranks_have_nothing_to_do) {
    const ModelSpec model = test::large_model();
    const topology::Inventory inventory = test::gpu_nodes(1);
    const Workload workload = videos(7);

    const LayoutChoice choice =
        choose_layout({.model = model, .inventory = inventory, .workload = workload}, {});

    EXPECT_THAT(choice.reason, HasSubstr("7 videos on 8 ranks; 1 of 8 groups have no video"));
}

TEST(LayoutChooser, shares_weights_out_only_as_far_as_memory_asks_for) {
    // 28 GB and the activations do not fit into 24 GiB.
    EXPECT_EQ(chosen(test::gpu_nodes(1, 24), videos(100), {}), "4 replicas of tensor 2");
    EXPECT_EQ(chosen(test::gpu_nodes(1, 24), videos(1), {.goal = Goal::latency}),
              "1 replica of cfg 2 x ulysses 2 x tensor 2");
}

TEST(LayoutChooser, keeps_ulysses_within_a_node_and_goes_around_the_ring_between_them) {
    EXPECT_EQ(chosen(test::gpu_nodes(1), videos(100), {.goal = Goal::latency}),
              "1 replica of cfg 2 x ulysses 4");
    EXPECT_EQ(chosen(test::gpu_nodes(2), videos(100), {.goal = Goal::latency}),
              "1 replica of cfg 2 x ulysses 8");
    EXPECT_EQ(chosen(test::gpu_nodes(8), videos(100), {.goal = Goal::latency}),
              "1 replica of cfg 2 x ring 4 x ulysses 8");
}

TEST(LayoutChooser, has_no_use_for_two_branches_without_guidance) {
    Workload workload = videos(1);
    workload.guidance = Guidance::off;

    EXPECT_EQ(chosen(test::gpu_nodes(1), workload, {.goal = Goal::latency}),
              "1 replica of ulysses 8");
}

TEST(LayoutChooser, leaves_alone_what_the_user_has_chosen) {
    EXPECT_EQ(chosen(test::gpu_nodes(1), videos(100), {.ring = 2}), "4 replicas of ring 2");
    EXPECT_EQ(chosen(test::gpu_nodes(1), videos(1), {.cfg = 1, .tensor = 2, .goal = Goal::latency}),
              "1 replica of ulysses 4 x tensor 2");
    EXPECT_EQ(
        chosen(test::gpu_nodes(1), videos(100), {.cfg = 1, .ring = 1, .ulysses = 3, .tensor = 1}),
        "2 replicas of ulysses 3");
}

TEST(LayoutChooser, refuses_what_cannot_be_with_the_nearest_layouts_that_can) {
    EXPECT_THAT(
        refusal_of([] { (void)chosen(test::gpu_nodes(1), videos(1), {.cfg = 2, .ulysses = 8}); }),
        AllOf(HasSubstr("a video takes 16 ranks (1 replica of cfg 2 x ulysses 8), but there "
                        "are 8"),
              HasSubstr(
                  "nearest that work: 1 replica of cfg 2 x ulysses 4, or 1 replica of ulysses 8")));
    EXPECT_THAT(refusal_of([] { (void)chosen(test::gpu_nodes(8), videos(1), {.tensor = 41}); }),
                AllOf(HasSubstr("parallel.tensor is 41"),
                      HasSubstr("nearest that work: 1 replica of tensor 40")));
}

TEST(LayoutChooser, says_when_nothing_fits) {
    const ModelSpec model = test::large_model();
    const topology::Inventory small = test::gpu_nodes(1, 2);
    const Workload workload = videos(1);

    const LayoutChoice choice =
        choose_layout({.model = model, .inventory = small, .workload = workload}, {});

    EXPECT_FALSE(choice.memory.fits());
    EXPECT_THAT(choice.reason, HasSubstr("nothing fits in memory"));
}

}  // namespace
}  // namespace reelyard::plan
