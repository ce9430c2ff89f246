#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "reelyard/base/format.hpp"
#include "reelyard/nn/attention.hpp"
#include "reelyard/nn/rope.hpp"
#include "reelyard/nn/split/sequence_attention.hpp"
#include "reelyard/nn/split/sharded_layers.hpp"
#include "reelyard/parallel/video_group.hpp"

#include "reelyard/test/shared_folder.hpp"

// Layers over several ranks, compared with LibTorch on one.
namespace reelyard::nn {
namespace {

/// Every way of sharing out the ranks to two degrees.
std::vector<std::pair<int, int>> factors(int ranks) {
    std::vector<std::pair<int, int>> pairs;
    for (int first = 1; first <= ranks; ++first) {
        if (ranks % first == 0) {
            pairs.emplace_back(first, ranks / first);
        }
    }
    return pairs;
}

at::Tensor random(at::IntArrayRef shape, at::ScalarType type, std::uint64_t seed) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    return at::randn(shape, generator, at::TensorOptions(at::kFloat)).to(type);
}

double relative_error(const at::Tensor& found, const at::Tensor& expected) {
    const at::Tensor difference = (found.to(at::kDouble) - expected.to(at::kDouble)).abs();
    return difference.max().item<double>() / expected.abs().max().item<double>();
}

struct Sequence {
    std::int64_t batch, tokens, heads, width;
};

/// Runs attention over all ranks on a sequence that does not divide. \returns the error of this
/// rank's tokens
double attention_error(const Sequence& size,
                       const parallel::VideoGroup& group,
                       at::ScalarType type) {
    const std::vector<std::int64_t> shape{size.batch, size.tokens, size.heads, size.width};
    const at::Tensor q = random(shape, type, 1);
    const at::Tensor k = random(shape, type, 2);
    const at::Tensor v = random(shape, type, 3);
    const at::Tensor expected = at::scaled_dot_product_attention(q.transpose(1, 2).to(at::kFloat),
                                                                 k.transpose(1, 2).to(at::kFloat),
                                                                 v.transpose(1, 2).to(at::kFloat))
                                    .transpose(1, 2)
                                    .flatten(2);
    const Interval own = shard_of(size.tokens, 1, group.tokens());
    const std::int64_t count = own.end - own.begin;
    const auto part = [&](const at::Tensor& x) {
        return x.narrow(1, own.begin, count).contiguous();
    };
    at::Tensor out = at::empty({size.batch, count, size.heads * size.width}, q.options());

    SequenceAttention(*group.ulysses, *group.ring)(part(q), part(k), part(v), size.tokens, out);

    return relative_error(out, part(expected));
}

TEST(SequenceAttention, over_any_ranks_equals_attention_on_one) {
    const mpi::Communicator ranks = test::world();
    for (const auto& [ring, ulysses] : factors(ranks.size())) {
        const parallel::ProcessGrid grid(ranks, {.ring = ring, .ulysses = ulysses});
        const parallel::VideoGroup group = parallel::make_video_group(grid, 60.0);
        for (const Sequence& size : {Sequence{1, 101, 5, 16},
                                     Sequence{2, 37, 12, 8},
                                     Sequence{1, 11, 6, 32},
                                     Sequence{1, 601, 1, 16}}) {
            SCOPED_TRACE(fmt::format(
                "ring {} ulysses {} tokens {} heads {}", ring, ulysses, size.tokens, size.heads));
            EXPECT_LT(attention_error(size, group, at::kFloat), 1e-5);
            EXPECT_LT(attention_error(size, group, at::kBFloat16), 2e-2);
        }
    }
}

TEST(SequenceAttention, repeats_are_the_same_bits) {
    const mpi::Communicator ranks = test::world();
    const parallel::ProcessGrid grid(ranks, {.ring = ranks.size()});
    const parallel::VideoGroup group = parallel::make_video_group(grid, 60.0);
    const auto attend = [&] {
        const Interval own = shard_of(97, 1, group.tokens());
        const at::Tensor x = random({1, 97, 3, 16}, at::kFloat, 4)
                                 .narrow(1, own.begin, own.end - own.begin)
                                 .contiguous();
        at::Tensor out = at::empty({1, own.end - own.begin, 48}, x.options());
        SequenceAttention(*group.ulysses, *group.ring)(x, x, x, 97, out);
        return out;
    };

    EXPECT_TRUE(at::equal(attend(), attend()));
}

class ShardedLayers : public testing::Test {
protected:
    [[nodiscard]] Interval part_of(std::int64_t length, std::int64_t unit) const {
        return shard_of(length, unit, group_.weights());
    }

    const mpi::Communicator world_ = test::world();
    const parallel::ProcessGrid grid_{world_, {.tensor = world_.size()}};
    const parallel::VideoGroup group_ = parallel::make_video_group(grid_, 60.0);
};

TEST_F(ShardedLayers, the_norm_is_over_the_heads_of_all_ranks) {
    constexpr std::int64_t heads = 11;
    constexpr std::int64_t width = 8;
    const at::Tensor x = random({2, 12, heads, width}, at::kFloat, 5);
    const at::Tensor weight = random({heads * width}, at::kFloat, 6);
    const RotaryTable rotary = rotary_table(width, {2, 2, 3});
    at::Tensor expected = x.clone();
    rms_norm_rotate(expected, weight, 1e-6, &rotary);
    const Interval own = part_of(heads, 1);
    at::Tensor found = x.narrow(2, own.begin, own.end - own.begin).contiguous();

    sharded_rms_norm_rotate(found,
                            weight.narrow(0, own.begin * width, (own.end - own.begin) * width),
                            1e-6,
                            &rotary,
                            heads * width,
                            *group_.tensor);

    EXPECT_LT(relative_error(found, expected.narrow(2, own.begin, own.end - own.begin)), 1e-5);
}

TEST_F(ShardedLayers, a_product_is_summed_over_the_ranks_before_bias_and_gate) {
    constexpr std::int64_t inputs = 45;
    const at::Tensor x = random({2, 7, inputs}, at::kFloat, 7);
    const at::Tensor weight = random({24, inputs}, at::kFloat, 8);
    const at::Tensor bias = random({24}, at::kFloat, 9);
    const at::Tensor gate = random({2, 24}, at::kFloat, 10);
    const at::Tensor before = random({2, 7, 24}, at::kFloat, 11);
    const Interval own = part_of(inputs, 1);
    const auto slice = [&](const at::Tensor& wide) {
        return wide.narrow(-1, own.begin, own.end - own.begin).contiguous();
    };
    for (const bool is_gated : {true, false}) {
        const at::Tensor product = at::linear(x, weight, bias);
        const at::Tensor expected = before + (is_gated ? product * gate.unsqueeze(1) : product);
        at::Tensor found = before.clone();

        add_sharded_linear(found,
                           slice(x),
                           {.weight = slice(weight), .bias = bias},
                           is_gated ? gate : at::Tensor(),
                           *group_.tensor);

        EXPECT_LT(relative_error(found, expected), 1e-5);
    }
}

}  // namespace
}  // namespace reelyard::nn
