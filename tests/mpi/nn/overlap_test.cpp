#include <cstdint>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/nn/split/block_gather.hpp"
#include "reelyard/nn/split/sequence_attention.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/trace/span.hpp"

#include "reelyard/test/shared_folder.hpp"
#include "reelyard/test/trace_events.hpp"

// What is exchanged while something is computed, by the order in which it is recorded.
namespace reelyard::nn {
namespace {

using trace::Event;

class Overlap : public testing::Test {
protected:
    [[nodiscard]] parallel::VideoGroup group_of(const ParallelLayout& layout) {
        return parallel::make_video_group(
            parallel::ProcessGrid(world_, layout), 60.0, c10::DeviceType::CPU, &recorder_);
    }

    [[nodiscard]] std::vector<Event> events(std::string_view name) const {
        return test::events_named(recorder_, name);
    }

    /// Self attention of this rank's part of some tokens.
    void attend(const parallel::VideoGroup& group) const {
        constexpr std::int64_t tokens = 41;
        constexpr std::int64_t heads = 7;
        constexpr std::int64_t width = 8;
        const Interval own = shard_of(tokens, 1, group.tokens());
        const at::Tensor x = at::ones({1, own.end - own.begin, heads, width});
        at::Tensor out = at::empty({1, own.end - own.begin, heads * width});
        SequenceAttention(*group.ulysses, *group.ring)(x, x, x, tokens, out);
    }

    const mpi::Communicator world_ = test::world();
    trace::Recorder recorder_;
};

TEST_F(Overlap, ring_passes_the_next_part_on_during_attention_to_the_present_one) {
    const parallel::VideoGroup group = group_of({.ring = world_.size()});

    attend(group);

    const std::vector<Event> rotations = events("ring rotate");
    const std::vector<Event> parts = events("attention to part");
    ASSERT_EQ(static_cast<int>(parts.size()), world_.size());
    ASSERT_EQ(rotations.size() + 1, parts.size());
    for (std::size_t step = 0; step < rotations.size(); ++step) {
        EXPECT_LE(rotations[step].begin, parts[step].begin);
        EXPECT_GT(rotations[step].end, parts[step].begin);
        EXPECT_LE(rotations[step].end, parts[step + 1].begin);
        EXPECT_GT(rotations[step].bytes, 0);
    }
    // Nobody waits before the present part is through.
    for (const Event& wait : events("wait")) {
        for (const Event& part : parts) {
            EXPECT_TRUE(wait.begin >= part.end || wait.end <= part.begin);
        }
    }
}

TEST_F(Overlap, ulysses_trades_queries_keys_and_values_at_once_and_what_comes_of_them_back) {
    const parallel::VideoGroup group = group_of({.ulysses = world_.size()});

    attend(group);

    const std::vector<Event> trades = events("ulysses all-to-all");
    const std::vector<Event> attention = events("attention");
    ASSERT_EQ(trades.size(), 2U);
    ASSERT_EQ(attention.size(), 1U);
    EXPECT_LE(trades[0].end, attention[0].begin);
    EXPECT_LE(attention[0].end, trades[1].begin);
    EXPECT_EQ(recorder_.events().size(), 5U);  // with a wait for each of the trades
}

TEST_F(Overlap, next_block_is_gathered_from_before_one_computes_until_after_it) {
    const parallel::VideoGroup group = group_of({.ring = world_.size(), .shard_weights = true});
    constexpr std::int64_t part = 1000;
    constexpr std::size_t blocks = 3;
    std::vector<std::int64_t> cuts;
    for (int rank = 0; rank <= world_.size(); ++rank) {
        cuts.push_back(rank * part);
    }
    std::vector<BlockGather::Block> weights;
    for (std::size_t block = 0; block < blocks; ++block) {
        weights.push_back({.cuts = cuts, .own = at::ones({part}, at::kByte)});
    }
    {
        BlockGather gather(weights, *group.shards);
        for (std::size_t block = 0; block < blocks; ++block) {
            const at::Tensor whole = gather.take(block);
            const trace::Span span(&recorder_, "block", static_cast<std::int64_t>(block));
            EXPECT_TRUE(whole.eq(1).all().item<bool>());
        }
    }

    const std::vector<Event> gathers = events("shards all-gather");
    const std::vector<Event> computed = events("block");
    ASSERT_EQ(computed.size(), blocks);
    ASSERT_EQ(gathers.size(), blocks + 1);  // behind the last block the first one again
    for (std::size_t block = 0; block < blocks; ++block) {
        const Event& next = gathers[block + 1];
        EXPECT_LE(next.begin, computed[block].begin);
        EXPECT_GE(next.end, computed[block].end);
        if (block + 1 < blocks) {
            EXPECT_LE(next.end, computed[block + 1].begin);
        }
    }
}

TEST_F(Overlap, without_a_recorder_nothing_is_recorded_beside_one_that_has_it) {
    const parallel::VideoGroup silent =
        parallel::make_video_group(parallel::ProcessGrid(world_, {.ulysses = world_.size()}), 60.0);
    const parallel::VideoGroup group = group_of({.ulysses = world_.size()});

    attend(silent);

    EXPECT_EQ(silent.recorder(), nullptr);
    EXPECT_TRUE(recorder_.events().empty());
}

}  // namespace
}  // namespace reelyard::nn
