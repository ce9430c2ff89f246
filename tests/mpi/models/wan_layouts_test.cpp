#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "reelyard/base/format.hpp"
#include "reelyard/parallel/video_group.hpp"

#include "wan/tensors.hpp"
#include "wan/transformer/transformer.hpp"

#include "reelyard/test/shared_folder.hpp"
#include "reelyard/test/tensors.hpp"

// Random models and videos on random layouts, compared with one rank. Nothing need divide anything.
namespace reelyard::models::wan {
namespace {

constexpr double bound = 2e-5;

using Tensors = std::map<std::string, at::Tensor>;

/// Draws the same on all ranks.
class Dice {
public:
    explicit Dice(unsigned seed)
        : engine_(seed)
        , tensors_(at::make_generator<at::CPUGeneratorImpl>(seed)) {}

    [[nodiscard]] std::int64_t between(std::int64_t least, std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(least, most)(engine_);
    }
    template <typename Value>
    [[nodiscard]] Value one_of(const std::vector<Value>& values) {
        return values[static_cast<std::size_t>(
            between(0, static_cast<std::int64_t>(values.size()) - 1))];
    }
    [[nodiscard]] at::Tensor tensor(const std::vector<std::int64_t>& shape) {
        return at::randn(shape, tensors_, at::TensorOptions(at::kFloat));
    }

private:
    std::mt19937 engine_;
    at::Generator tensors_;
};

TransformerConfig random_config(Dice& dice) {
    return {.heads = dice.one_of<std::int64_t>({5, 6, 12}),
            .head_width = dice.one_of<std::int64_t>({6, 8, 16}),
            .in_channels = 4,
            .out_channels = 4,
            .text_width = 8,
            .frequency_width = 16,
            .ffn_width = dice.between(20, 60),
            .layers = 2,
            .cross_attention_norm = dice.between(0, 1) == 1};
}

Tensors random_weights(const TransformerConfig& config, Dice& dice) {
    Tensors weights;
    for (const TensorSpec& spec : transformer_tensors(config).tensors) {
        const bool is_norm = spec.name.find("norm") != std::string::npos;
        weights[spec.name] = dice.tensor(spec.shape) * 0.3 + (is_norm ? 1.0 : 0.0);
    }
    return weights;
}

/// What a rank of a tensor parallel group holds.
store::WeightSet slices_of(const Tensors& weights, const TransformerConfig& config, Shard shard) {
    Tensors slices;
    for (const TensorSpec& spec : transformer_tensors(config).tensors) {
        const at::Tensor& whole = weights.at(spec.name);
        if (spec.split == Split::none) {
            slices[spec.name] = whole;
            continue;
        }
        const std::int64_t axis = spec.split == Split::rows ? 0 : 1;
        const Interval part = shard_of(whole.size(axis), spec.split_unit, shard);
        slices[spec.name] = whole.narrow(axis, part.begin, part.end - part.begin).contiguous();
    }
    return {"transformer", std::move(slices)};
}

/// One that `ranks` ranks fill and the model allows.
ParallelLayout random_layout(int ranks, const TransformerConfig& config, Dice& dice) {
    std::vector<ParallelLayout> layouts;
    for (int tensor = 1; tensor <= ranks; ++tensor) {
        for (int ulysses = 1; ulysses * tensor <= ranks; ++ulysses) {
            const int ring = ranks / (ulysses * tensor);
            if (ring * ulysses * tensor == ranks && tensor <= config.heads &&
                ulysses <= config.heads / tensor) {
                layouts.push_back({.ring = ring, .ulysses = ulysses, .tensor = tensor});
            }
        }
    }
    return dice.one_of(layouts);
}

struct Inputs {
    at::Tensor latent;
    at::Tensor time;
    at::Tensor context;
};

/// A video of at least `tokens` tokens.
Inputs random_inputs(std::int64_t tokens, Dice& dice) {
    const std::int64_t batch = dice.between(1, 2);
    const std::int64_t frames = dice.between(1, 4);
    const std::int64_t rows = dice.between(1, 5);
    const std::int64_t columns =
        (tokens + frames * rows - 1) / (frames * rows) + dice.between(0, 3);
    return {.latent = dice.tensor({batch, 4, frames, 2 * rows, 2 * columns}),
            .time = at::full({batch}, static_cast<float>(dice.between(1, 1000))),
            .context = dice.tensor({batch, dice.between(1, 9), 8})};
}

at::Tensor velocity(WanTransformer& transformer, const Inputs& inputs) {
    const Conditioning prepared = transformer.prepare({.tensors = {{"context", inputs.context}}});
    return transformer.velocity(inputs.latent, inputs.time, prepared);
}

TEST(WanLayouts, every_layout_computes_what_one_rank_does) {
    const mpi::Communicator ranks = test::world();
    const parallel::VideoGroup alone = parallel::make_single_rank_group();
    for (unsigned seed = 1; seed <= 12; ++seed) {
        Dice dice(seed);
        const TransformerConfig config = random_config(dice);
        const Tensors weights = random_weights(config, dice);
        const ParallelLayout layout = random_layout(ranks.size(), config, dice);
        const Inputs inputs = random_inputs(ranks.size(), dice);
        SCOPED_TRACE(fmt::format("seed {}: {}", seed, to_string(layout)));
        WanTransformer one(config, slices_of(weights, config, {}), DType::float32, alone);
        const parallel::ProcessGrid grid(ranks, layout);
        const parallel::VideoGroup group = parallel::make_video_group(grid, 60.0);
        WanTransformer many(
            config, slices_of(weights, config, group.weights()), DType::float32, group);

        const at::Tensor expected = velocity(one, inputs);
        const at::Tensor found = velocity(many, inputs);

        EXPECT_EQ(found.sizes(), expected.sizes());
        EXPECT_LT(test::relative_error(found, expected), bound);
        EXPECT_TRUE(at::equal(velocity(many, inputs), found)) << "a repeat differs";
    }
}

}  // namespace
}  // namespace reelyard::models::wan
