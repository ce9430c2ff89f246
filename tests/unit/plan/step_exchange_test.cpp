#include "reelyard/plan/step_exchange.hpp"

#include <gtest/gtest.h>

#include "hardware.hpp"

namespace reelyard::plan {
namespace {

using topology::LinkKind;

TEST(StepExchange, tells_links_within_a_node_from_those_between) {
    const ModelSpec model = test::large_model();
    const topology::Inventory inventory = test::gpu_nodes(2);
    const Workload workload{.tokens = 1600, .fewest_tokens = 1600};

    const StepExchange step = exchange_of_step(
        {.model = model, .inventory = inventory, .workload = workload}, {.ring = 2, .ulysses = 8});

    // The whole Ulysses group is on one node, every neighbour in the ring on the other.
    const RouteVolumes& rank = step.ranks.front();
    EXPECT_TRUE(rank.contains({Exchange::ulysses, LinkKind::nvlink}));
    EXPECT_FALSE(rank.contains({Exchange::ulysses, LinkKind::network}));
    // Two branches, 40 layers, keys and values of 800 tokens, 5 of 40 heads of 128, 2 bytes.
    EXPECT_EQ(rank.at({Exchange::ring, LinkKind::network}), 2LL * 40 * 2 * 800 * 5 * 128 * 2);
    EXPECT_EQ(step.total().at({Exchange::ring, LinkKind::network}),
              16 * rank.at({Exchange::ring, LinkKind::network}));
}

}  // namespace
}  // namespace reelyard::plan
