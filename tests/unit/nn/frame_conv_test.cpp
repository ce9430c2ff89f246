#include "reelyard/nn/frame_conv.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/nn/channel_norm.hpp"
#include "reelyard/spec/shard.hpp"

namespace reelyard::nn {
namespace {

at::Tensor random(at::IntArrayRef shape) {
    return at::randn(shape, at::kFloat);
}

double largest(const at::Tensor& x) {
    return x.abs().max().item<double>();
}

void expect_near(const FrameList& found, const FrameList& expected, double tolerance) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
        ASSERT_EQ(found[i].sizes(), expected[i].sizes());
        EXPECT_LE(largest(found[i] - expected[i]), tolerance * largest(expected[i]))
            << "frame " << i;
    }
}

struct ConvCase {
    std::vector<std::int64_t> weight;  ///< O, I, kt, kh, kw
    std::vector<std::int64_t> frame;   ///< B, H, W
    std::size_t frames;
    FrameConvOptions options;
    bool has_addends;
    bool starts_empty;  ///< the first frame is undefined
};

std::vector<ConvCase> conv_cases() {
    const FrameConvOptions same{1, 1, 1, 1};
    const FrameConvOptions down{2, 1, 0, 1};
    const FrameConvOptions half_time{1, 2, 0, 0};
    return {
        {{8, 8, 3, 3, 3}, {1, 5, 7}, 3, same, false, false},
        {{33, 5, 3, 3, 3}, {2, 9, 17}, 6, same, true, true},
        {{48, 96, 3, 3, 3}, {1, 4, 29}, 4, same, true, false},
        {{3, 20, 3, 3, 3}, {1, 6, 15}, 3, same, false, true},
        {{17, 17, 1, 3, 3}, {2, 8, 10}, 2, down, false, false},
        {{40, 7, 1, 3, 3}, {1, 7, 31}, 1, down, false, false},
        {{24, 24, 3, 1, 1}, {1, 3, 6}, 5, half_time, false, false},
        {{50, 13, 1, 1, 1}, {2, 11, 3}, 2, {}, true, false},
        {{1, 1, 1, 1, 1}, {1, 1, 1}, 1, {}, false, false},
    };
}

class FrameConvOnCpu : public testing::TestWithParam<InstructionSet> {};

TEST_P(FrameConvOnCpu, equals_the_reference_over_odd_sizes) {
    at::manual_seed(1);
    for (const ConvCase& c : conv_cases()) {
        SCOPED_TRACE(testing::PrintToString(c.weight));
        const at::Tensor weight = random(c.weight);
        const at::Tensor bias = random({c.weight[0]});
        const FrameConv reference(weight, bias, c.options, InstructionSet::reference);
        const FrameConv conv(weight, bias, c.options, GetParam());
        FrameList frames;
        for (std::size_t i = 0; i < c.frames; ++i) {
            const bool empty = i == 0 && c.starts_empty;
            frames.push_back(empty ? at::Tensor()
                                   : random({c.frame[0], c.frame[1], c.frame[2], c.weight[1]}));
        }
        FrameList addends;
        if (c.has_addends) {
            for (const at::Tensor& frame : reference(frames)) {
                addends.push_back(at::randn_like(frame));
            }
        }

        const FrameList found = conv(frames, addends);

        expect_near(found, reference(frames, addends), 2e-6);
    }
}

TEST_P(FrameConvOnCpu, upsampling_equals_the_reference) {
    at::manual_seed(2);
    for (const std::vector<std::int64_t>& size :
         {std::vector<std::int64_t>{1, 1, 1}, {2, 3, 15}, {1, 6, 30}}) {
        const at::Tensor weight = random({19, 10, 3, 3});
        const at::Tensor bias = random({19});
        const FrameList frames{random({size[0], size[1], size[2], 10}),
                               random({size[0], size[1], size[2], 10})};

        const FrameList found = UpsampleConv(weight, bias, GetParam())(frames);

        expect_near(found, UpsampleConv(weight, bias, InstructionSet::reference)(frames), 2e-6);
    }
}

TEST_P(FrameConvOnCpu, gives_the_same_bits_for_a_video_whole_and_in_pieces) {
    at::manual_seed(3);
    const FrameConv conv(random({20, 6, 3, 3, 3}), random({20}), {1, 1, 1, 1}, GetParam());
    FrameList frames;
    for (int i = 0; i < 6; ++i) {
        frames.push_back(random({1, 7, 18, 6}));
    }

    const FrameList whole = conv(frames);

    for (std::size_t t = 0; t < whole.size(); ++t) {
        const FrameList piece = conv({frames[t], frames[t + 1], frames[t + 2]});
        EXPECT_TRUE(at::equal(piece.front(), whole[t]));
    }
}

/// Rows [begin, end) and, where there are some, `above` more before and `below` after them.
FrameList rows_of(const FrameList& frames, Interval rows, const RowHalo& halo = {}) {
    FrameList band;
    for (const at::Tensor& frame : frames) {
        band.push_back(frame.slice(1, rows.begin - halo.above, rows.end + halo.below).contiguous());
    }
    return band;
}

TEST_P(FrameConvOnCpu, gives_the_same_bits_for_a_picture_whole_and_in_bands) {
    at::manual_seed(5);
    const FrameConv conv(random({20, 6, 3, 3, 3}), random({20}), {1, 1, 1, 1}, GetParam());
    const FrameConv halving(random({18, 6, 1, 3, 3}), random({18}), {2, 1, 0, 1}, GetParam());
    const UpsampleConv doubling(random({9, 6, 3, 3}), random({9}), GetParam());
    const FrameList frames{random({2, 11, 13, 6}), random({2, 11, 13, 6}), random({2, 11, 13, 6})};
    const FrameList addends{random({2, 11, 13, 20})};

    const FrameList same = conv(frames, addends);
    const FrameList half = halving(frames);
    const FrameList twice = doubling(frames);

    for (const Interval& rows : {Interval{0, 4}, {4, 6}, {6, 6}, {6, 11}}) {
        SCOPED_TRACE(rows.begin);
        const bool is_empty = rows.begin == rows.end;
        const RowHalo halo{.above = is_empty || rows.begin == 0 ? 0 : 1,
                           .below = is_empty || rows.end == 11 ? 0 : 1};
        const FrameList band = rows_of(frames, rows, halo);
        const RowHalo after{.above = 0, .below = halo.below};
        const Interval halved{rows.begin / 2, rows.end / 2};
        const Interval doubled{2 * rows.begin, 2 * rows.end};
        EXPECT_TRUE(at::equal(conv(band, rows_of(addends, rows), halo).front(),
                              rows_of(same, rows).front()));
        EXPECT_TRUE(at::equal(halving(rows_of(frames, rows, after), {}, after).back(),
                              rows_of(half, halved).back()));
        EXPECT_TRUE(at::equal(doubling(band, halo).back(), rows_of(twice, doubled).back()));
    }
}

TEST(FrameConvReference, is_close_for_a_picture_whole_and_in_bands) {
    at::manual_seed(6);
    const auto set = InstructionSet::reference;
    const FrameConv conv(random({4, 3, 1, 3, 3}), random({4}), {1, 1, 1, 1}, set);
    const FrameConv halving(random({4, 3, 1, 3, 3}), random({4}), {2, 1, 0, 1}, set);
    const UpsampleConv doubling(random({4, 3, 3, 3}), random({4}), set);
    const FrameList frames{random({1, 10, 7, 3})};
    const RowHalo both{.above = 1, .below = 1};
    const RowHalo after{.above = 0, .below = 1};

    expect_near(conv(rows_of(frames, {4, 6}, both), {}, both), rows_of(conv(frames), {4, 6}), 1e-5);
    expect_near(
        halving(rows_of(frames, {4, 6}, after), {}, after), rows_of(halving(frames), {2, 3}), 1e-5);
    expect_near(
        doubling(rows_of(frames, {4, 6}, both), both), rows_of(doubling(frames), {8, 12}), 1e-5);
    EXPECT_EQ(conv(rows_of(frames, {4, 4})).front().size(1), 0);
}

TEST_P(FrameConvOnCpu, normalising_equals_the_reference) {
    at::manual_seed(4);
    for (const std::int64_t channels : {1, 3, 8, 16, 24, 96, 100}) {
        SCOPED_TRACE(channels);
        at::Tensor frame = random({2, 5, 7, channels});
        frame.select(1, 2).zero_();
        frame.select(1, 3) *= 50;
        const at::Tensor gain = random({channels, 1, 1, 1}) * 3;
        for (const Activation activation : {Activation::none, Activation::silu}) {
            const ChannelNorm reference(gain, activation, InstructionSet::reference);

            const FrameList found = ChannelNorm(gain, activation, GetParam())({frame});

            expect_near(found, reference({frame}), 1e-6);
        }
    }
}

std::vector<InstructionSet> sets_besides_the_reference() {
    std::vector<InstructionSet> sets = available_instruction_sets();
    sets.erase(sets.begin());
    return sets;
}

INSTANTIATE_TEST_SUITE_P(AllSets,
                         FrameConvOnCpu,
                         testing::ValuesIn(sets_besides_the_reference()),
                         [](const auto& set) { return std::string(to_string(set.param)); });

TEST(FrameConvReference, sees_zeros_outside_the_picture_and_before_the_video) {
    const FrameConv conv(at::ones({1, 1, 2, 3, 3}), at::zeros({1}), {1, 1, 1, 1});

    const FrameList out = conv({at::Tensor(), at::ones({1, 3, 3, 1}), at::ones({1, 3, 3, 1})});

    const at::Tensor once = at::tensor({4.0F, 6.0F, 4.0F, 6.0F, 9.0F, 6.0F, 4.0F, 6.0F, 4.0F});
    EXPECT_TRUE(at::equal(out[0].flatten(), once));
    EXPECT_TRUE(at::equal(out[1].flatten(), 2 * once));
}

TEST(InstructionSets, start_with_the_reference_and_end_with_the_best) {
    const std::vector<InstructionSet> sets = available_instruction_sets();

    EXPECT_EQ(sets.front(), InstructionSet::reference);
    EXPECT_EQ(sets.back(), best_instruction_set());
    EXPECT_GE(sets.size(), 2U);
}

}  // namespace
}  // namespace reelyard::nn
