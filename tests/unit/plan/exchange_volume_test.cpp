#include "reelyard/plan/exchange_volume.hpp"

#include <gtest/gtest.h>

namespace reelyard::plan {
namespace {

const TransformerShape shape{.layers = 3, .heads = 4, .head_width = 2, .token_outputs = 8};
const ForwardInput input{.batch = 1, .tokens = 12, .compute = DType::bfloat16};

ExchangeVolume of_forward(const ParallelLayout& layout) {
    return sum_of(receipts_of_forward(shape, input, layout, {}));
}

TEST(ExchangeVolume, is_nothing_for_one_rank) {
    EXPECT_EQ(of_forward({}).total(), 0);
    EXPECT_EQ(sum_of(receipts_of_step(shape, input, {.replicas = 5}, {}, Guidance::on)).total(), 0);
}

TEST(ExchangeVolume, follows_the_closed_forms_where_everything_divides) {
    // 2 (P - 1) / P of what is summed: 3 numbers of 4 bytes and 3 rows of 8 numbers of 2 bytes.
    EXPECT_EQ(of_forward({.tensor = 4}).of(Exchange::tensor), 3 * 12 * (3 * 4 + 3 * 16) * 6 / 4);
    // 4 (P - 1) / P^2 rows.
    EXPECT_EQ(of_forward({.ulysses = 2}).of(Exchange::ulysses), 3 * 4 * 12 * 16 / 4);
    // 2 (P - 1) / P rows.
    EXPECT_EQ(of_forward({.ring = 3}).of(Exchange::ring), 3 * 2 * 12 * 16 * 2 / 3);
    EXPECT_EQ(of_forward({.ring = 3}).of(Exchange::gather), 12 * 8 * 4 * 2 / 3);
}

TEST(ExchangeVolume, takes_one_velocity_from_the_other_branch_instead_of_a_second_pass) {
    const auto step = [](const ParallelLayout& layout, Guidance guidance) {
        return sum_of(receipts_of_step(shape, input, layout, {}, guidance));
    };
    const ExchangeVolume pass = of_forward({.ulysses = 2});

    EXPECT_EQ(step({.ulysses = 2}, Guidance::on).total(), 2 * pass.total());
    EXPECT_EQ(step({.ulysses = 2}, Guidance::off).total(), pass.total());
    EXPECT_EQ(step({.ulysses = 2}, Guidance::batched).total(), 2 * pass.total());
    EXPECT_EQ(step({.cfg = 2, .ulysses = 2}, Guidance::batched).total(),
              step({.cfg = 2, .ulysses = 2}, Guidance::on).total());
    EXPECT_EQ(step({.cfg = 2, .ulysses = 2}, Guidance::on).of(Exchange::ulysses),
              pass.of(Exchange::ulysses));
    EXPECT_EQ(step({.cfg = 2, .ulysses = 2}, Guidance::on).of(Exchange::cfg), 12 * 8 * 4);
    EXPECT_EQ(step({.cfg = 2, .ulysses = 2}, Guidance::off).of(Exchange::cfg), 0);
}

TEST(ExchangeVolume, has_all_weights_but_the_own_part_where_they_are_sharded) {
    TransformerShape with_weights = shape;
    with_weights.block_numbers = 4800;
    const auto weights = [&](const ParallelLayout& layout) {
        return sum_of(receipts_of_forward(with_weights, input, layout, {})).of(Exchange::weights);
    };

    EXPECT_EQ(weights({.cfg = 2, .ulysses = 2, .shard_weights = true}), 4800 * 2 * 3 / 4);
    EXPECT_EQ(weights({.ulysses = 2, .tensor = 2, .shard_weights = true}), 2400 * 2 / 2);
    EXPECT_EQ(weights({.tensor = 2, .shard_weights = true}), 0);
    EXPECT_EQ(weights({.cfg = 2, .ulysses = 2}), 0);
}

TEST(ExchangeVolume, has_sharded_weights_once_where_both_branches_are_one_batch) {
    TransformerShape with_weights = shape;
    with_weights.block_numbers = 4800;
    const auto weights = [&](Guidance guidance) {
        const ParallelLayout layout{.ulysses = 2, .shard_weights = true};
        return sum_of(receipts_of_step(with_weights, input, layout, {}, guidance))
            .of(Exchange::weights);
    };

    EXPECT_EQ(weights(Guidance::on), 2 * weights(Guidance::off));
    EXPECT_EQ(weights(Guidance::batched), weights(Guidance::off));
}

TEST(ExchangeVolume, comes_from_the_neighbour_in_a_ring) {
    const auto receipts = receipts_of_forward(shape, input, {.ring = 4, .tensor = 1}, {.ring = 0});

    for (const Receipt& receipt : receipts) {
        if (receipt.exchange == Exchange::ring) {
            EXPECT_EQ(receipt.from.ring, 3);
        }
    }
    EXPECT_EQ(receipts.size(), 1U + 3U);  // and the velocity from everyone
}

}  // namespace
}  // namespace reelyard::plan
