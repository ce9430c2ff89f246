#include "reelyard/plan/step_cost.hpp"

#include <gtest/gtest.h>

namespace reelyard::plan {
namespace {

using topology::LinkKind;

constexpr std::int64_t tokens = 11;

ModelSpec small_model() {
    ModelSpec model{.family = "wan",
                    .components = {},
                    .defaults = {},
                    .attention_heads = 5,
                    .head_width = 4,
                    .layers = 3,
                    .ffn_width = 7};
    model.components.push_back({.name = "transformer", .class_name = "any", .tensors = {}});
    return model;
}

/// Nodes of two ranks each that compute on cores of one domain.
topology::Inventory nodes(int count, double network_gb_per_s = 2.0) {
    topology::Inventory inventory;
    inventory.network_gb_per_s = network_gb_per_s;
    for (int n = 0; n < count; ++n) {
        topology::Node node;
        node.name = "any";
        node.numa.push_back({.cores = {0, 1}, .memory_bytes = 0, .memory_gb_per_s = 10.0});
        inventory.nodes.push_back(node);
        for (int r = 0; r < 2; ++r) {
            inventory.ranks.push_back({.node = n, .numa = 0, .gpu = -1, .cores = {r}});
        }
    }
    return inventory;
}

class StepCostTest : public testing::Test {
protected:
    [[nodiscard]] StepCost cost_of(const topology::Inventory& inventory,
                                   const ParallelLayout& layout,
                                   const std::vector<StepKind>& steps) const {
        return cost_of_step(
            {.model = model_, .inventory = inventory, .workload = workload_}, steps, layout);
    }
    [[nodiscard]] double work_of(const ParallelLayout& layout,
                                 Guidance guidance = Guidance::off) const {
        return cost_of(nodes(4), layout, {{.tokens = tokens, .guidance = guidance}}).multiply_adds;
    }

    ModelSpec model_ = small_model();
    Workload workload_{
        .tokens = tokens, .fewest_tokens = tokens, .compute = DType::float32, .videos = 1};
};

TEST_F(StepCostTest, one_rank_does_all_linear_layers_and_all_of_attention) {
    // Three blocks of width 20: q, k, v, out, q and out of 20 x 20, 20 x 7 there and back, and two
    // products of 11 with 11 tokens.
    constexpr double pass = 3 * (11.0 * (6 * 20 * 20 + 2 * 20 * 7) + 2 * 11.0 * 11 * 20);

    EXPECT_DOUBLE_EQ(work_of({}), pass);
    EXPECT_DOUBLE_EQ(work_of({}, Guidance::on), 2 * pass);
    EXPECT_DOUBLE_EQ(work_of({}, Guidance::batched), 2 * pass);
    EXPECT_DOUBLE_EQ(work_of({.cfg = 2}, Guidance::on), pass);
    EXPECT_DOUBLE_EQ(work_of({.cfg = 2}, Guidance::off), pass);
}

TEST_F(StepCostTest, of_parts_that_do_not_divide_the_largest_counts) {
    // 6 of 11 tokens, 3 of 5 heads, 4 of 7 inner columns.
    EXPECT_DOUBLE_EQ(work_of({.ulysses = 2}),
                     3 * (6.0 * (6 * 20 * 20 + 2 * 20 * 7) + 2 * 11.0 * 11 * 12));
    EXPECT_DOUBLE_EQ(work_of({.ring = 2}),
                     3 * (6.0 * (6 * 20 * 20 + 2 * 20 * 7) + 2 * 6.0 * 11 * 20));
    EXPECT_DOUBLE_EQ(work_of({.tensor = 2}),
                     3 * (11.0 * (6 * 20 * 12 + 2 * 20 * 4) + 2 * 11.0 * 11 * 12));
}

TEST_F(StepCostTest, more_ranks_never_give_a_rank_more_to_compute) {
    double before = work_of({});
    for (int degree = 2; degree <= 8; ++degree) {
        const double now = work_of({.ring = degree});
        EXPECT_LE(now, before) << "ring " << degree;
        EXPECT_GE(now * degree, work_of({})) << "ring " << degree;
        before = now;
    }
}

TEST_F(StepCostTest, alone_a_rank_exchanges_nothing) {
    const StepCost cost = cost_of(nodes(1), {.replicas = 2}, {{.tokens = tokens}});

    EXPECT_EQ(cost.received_bytes, 0.0);
    EXPECT_TRUE(cost.exchange_seconds.empty());
}

TEST_F(StepCostTest, ranks_of_a_node_share_its_memory_and_its_network) {
    model_.latent_channels = 1;
    model_.latent_per_token = 1;
    const StepCost cost =
        cost_of(nodes(2), {.ring = 2, .ulysses = 2}, {{.tokens = 40, .guidance = Guidance::off}});

    // The rank with most: keys and values of 20 tokens of the other node for three of five heads,
    // float32, in three blocks, one message in each; and 4 bytes of the velocity of 2 x 10 tokens.
    const double ring = (3 * 2 * 20 * 3 * 4 * 4 + 2 * 10 * 4) / (2e9 / 2);
    EXPECT_NEAR(cost.exchange_seconds.at(LinkKind::network), ring + (3 + 2) * 5e-6, 1e-12);
    // Queries, keys and values of 10 tokens for three heads, and 10 tokens of the two others; two
    // messages in each block.
    const double ulysses = (3 * (3 * 10 * 3 + 10 * 2) * 4 * 4 + 10 * 4) / (10e9 / 2);
    EXPECT_NEAR(cost.exchange_seconds.at(LinkKind::memory), ulysses + (3 * 2 + 1) * 1e-6, 1e-12);
    EXPECT_DOUBLE_EQ(
        cost.all_exchange_seconds(),
        cost.exchange_seconds.at(LinkKind::network) + cost.exchange_seconds.at(LinkKind::memory));
}

TEST_F(StepCostTest, a_faster_network_makes_exchange_shorter_and_nothing_else) {
    const ParallelLayout layout{.ring = 8};
    const std::vector<StepKind> steps{{.tokens = 1000}};
    const StepCost slow = cost_of(nodes(4, 1.0), layout, steps);
    const StepCost fast = cost_of(nodes(4, 4.0), layout, steps);

    EXPECT_GT(slow.all_exchange_seconds(), fast.all_exchange_seconds());
    EXPECT_EQ(slow.multiply_adds, fast.multiply_adds);
    EXPECT_EQ(slow.received_bytes, fast.received_bytes);
}

TEST_F(StepCostTest, mean_step_counts_each_kind_as_often_as_it_comes) {
    const ParallelLayout layout{.cfg = 2};
    const StepKind guided{.tokens = 100, .guidance = Guidance::on, .count = 30};
    const StepKind unguided{.tokens = 200, .guidance = Guidance::off, .count = 10};
    const StepCost first = cost_of(nodes(1), layout, {guided});
    const StepCost second = cost_of(nodes(1), layout, {unguided});

    const StepCost mean = cost_of(nodes(1), layout, {guided, unguided});

    EXPECT_DOUBLE_EQ(mean.multiply_adds, 0.75 * first.multiply_adds + 0.25 * second.multiply_adds);
    // The velocity of the other branch: 4 bytes of 64 numbers a token; without guidance none.
    EXPECT_DOUBLE_EQ(mean.received_bytes, 0.75 * 100 * 64 * 4);
}

}  // namespace
}  // namespace reelyard::plan
