#include <cstdint>
#include <filesystem>
#include <random>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/base/format.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/store/checkpoint/random_store.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/store/weight_loader.hpp"

#include "wan/tensors.hpp"
#include "wan/text/text_encoder.hpp"

#include "reelyard/test/shared_folder.hpp"
#include "reelyard/test/tensors.hpp"

// The text encoder in slices and with shared weights: what it computes, keeps and exchanges.
namespace reelyard::models::wan {
namespace {

/// Draws the same on all ranks.
class Dice {
public:
    explicit Dice(unsigned seed) : engine_(seed) {}

    [[nodiscard]] std::int64_t between(std::int64_t least, std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(least, most)(engine_);
    }

private:
    std::mt19937 engine_;
};

/// Nothing need divide anything; there may be fewer heads than ranks.
TextEncoderConfig random_config(Dice& dice) {
    return {.vocabulary = dice.between(20, 90),
            .width = dice.between(5, 40),
            .head_width = dice.between(3, 12),
            .ffn_width = dice.between(3, 60),
            .layers = dice.between(1, 3),
            .heads = dice.between(1, 7)};
}

/// Blocks and a vocabulary that outweigh the rest.
TextEncoderConfig wide_config() {
    return {.vocabulary = 4096,
            .width = 512,
            .head_width = 64,
            .ffn_width = 1024,
            .layers = 2,
            .heads = 12};
}

/// All that use every rank and cut or share something.
std::vector<ParallelLayout> layouts_for(int ranks) {
    std::vector<ParallelLayout> layouts;
    for (int tensor = 1; tensor <= ranks; ++tensor) {
        if (ranks % tensor == 0) {
            layouts.push_back(
                {.ring = ranks / tensor, .tensor = tensor, .shard_weights = tensor < ranks});
        }
    }
    return layouts;
}

struct Text {
    at::Tensor ids;   ///< [1, L]
    at::Tensor mask;  ///< [1, L]
};

/// The last token is padding.
Text text_of(std::int64_t length, std::int64_t vocabulary, std::int64_t seed) {
    Text text{.ids = (at::arange(length, at::kLong) * 7 + seed * 5).remainder(vocabulary),
              .mask = at::ones({1, length}, at::kLong)};
    text.ids = text.ids.unsqueeze(0);
    text.mask.select(1, length - 1).zero_();
    return text;
}

class WanTextEncoder : public testing::Test {
protected:
    [[nodiscard]] const mpi::Communicator& world() const { return folder_.world(); }

    /// \returns a store with random weights
    [[nodiscard]] store::StoreFile make_store(const TextEncoderConfig& config, DType dtype) const {
        const std::filesystem::path path = folder_ / "m.h5";
        world().barrier();
        if (world().rank() == 0) {
            const ModelSpec model{
                .family = "wan", .components = {text_encoder_tensors(config)}, .defaults = {}};
            store::write_random_store(path, {}, model, dtype);
        }
        world().barrier();
        return store::StoreFile::open(path, world());
    }

    [[nodiscard]] store::LoadedWeights load(const store::StoreFile& file,
                                            const TextEncoderConfig& config,
                                            DType dtype,
                                            const parallel::VideoGroup& group) const {
        return store::load_component(
            file,
            text_encoder_tensors(config),
            world(),
            {.compute = dtype,
             .tensor_parallel = group.weights(),
             .weight_shard = {.degree = group.shards->size(), .index = group.shards->rank()}});
    }

    [[nodiscard]] parallel::VideoGroup group_of(const ParallelLayout& layout) const {
        return parallel::make_video_group(parallel::ProcessGrid(world(), layout), 60.0);
    }

    test::SharedFolder folder_;
};

/// The ranks of a tensor parallel group have one text together, each of those that share weights
/// another one.
TEST_F(WanTextEncoder, every_layout_encodes_what_one_rank_does) {
    const parallel::VideoGroup alone = parallel::make_single_rank_group();
    for (unsigned seed = 1; seed <= 6; ++seed) {
        Dice dice(seed);
        const TextEncoderConfig config = random_config(dice);
        const DType dtype = seed % 3 == 0 ? DType::bfloat16 : DType::float32;
        const store::StoreFile file = make_store(config, dtype);
        const TextEncoder one(config, load(file, config, dtype, alone).weights, alone);
        for (const ParallelLayout& layout : layouts_for(world().size())) {
            SCOPED_TRACE(fmt::format("seed {}: {}", seed, to_string(layout)));
            const parallel::VideoGroup group = group_of(layout);
            const auto loaded = load(file, config, dtype, group);
            const TextEncoder many(config, loaded.weights, group, loaded.blocks);
            for (const std::int64_t length : {9, 2}) {
                const Text text =
                    text_of(length + group.shards->rank(), config.vocabulary, group.shards->rank());

                const at::Tensor found = many.encode(text.ids, text.mask);

                const at::Tensor expected = one.encode(text.ids, text.mask);
                EXPECT_EQ(found.sizes(), expected.sizes());
                EXPECT_LT(test::relative_error(found, expected),
                          dtype == DType::float32 ? 2e-5 : 3e-2);
                EXPECT_TRUE(at::equal(many.encode(text.ids, text.mask), found))
                    << "a repeat differs";
            }
        }
    }
}

TEST_F(WanTextEncoder, shared_blocks_give_the_bits_of_whole_ones) {
    const TextEncoderConfig config{
        .vocabulary = 50, .width = 24, .head_width = 8, .ffn_width = 40, .layers = 3, .heads = 5};
    const parallel::VideoGroup alone = parallel::make_single_rank_group();
    const parallel::VideoGroup group = group_of({.ulysses = world().size(), .shard_weights = true});
    const Text text = text_of(11, config.vocabulary, 1);
    for (const DType dtype : {DType::float32, DType::bfloat16}) {
        const store::StoreFile file = make_store(config, dtype);
        const TextEncoder whole(config, load(file, config, dtype, alone).weights, alone);
        const auto loaded = load(file, config, dtype, group);
        ASSERT_EQ(loaded.blocks.size(), 3U);
        const TextEncoder shared(config, loaded.weights, group, loaded.blocks);

        const at::Tensor found = shared.encode(text.ids, text.mask);

        EXPECT_TRUE(at::equal(found, whole.encode(text.ids, text.mask)));
    }
}

TEST_F(WanTextEncoder, every_byte_is_read_once_and_a_rank_keeps_its_share) {
    const TextEncoderConfig config = wide_config();
    const store::StoreFile file = make_store(config, DType::float32);
    const double vocabulary = 4096.0 * 512 * sizeof(float);
    const double blocks = 2.0 * (4 * 512 * 768 + 3 * 512 * 1024) * sizeof(float);
    for (const ParallelLayout& layout : layouts_for(world().size())) {
        SCOPED_TRACE(to_string(layout));
        const parallel::VideoGroup group = group_of(layout);

        const auto loaded = load(file, config, DType::float32, group);

        double kept = 0;
        for (const store::BlockShard& block : loaded.blocks) {
            kept += static_cast<double>(block.part.nbytes());
        }
        for (const std::string& name : loaded.weights.names()) {
            kept += static_cast<double>(loaded.weights.get(name).nbytes());
        }
        // The vocabulary is cut into slices, but not shared out.
        const double share = (vocabulary + blocks / layout.same_weights_size()) / layout.tensor;
        EXPECT_NEAR(kept, share, 0.05 * share);
        const double read = static_cast<double>(world().sum(loaded.report.bytes_read));
        EXPECT_NEAR(read / static_cast<double>(loaded.report.bytes_used), 1.0, 0.005);
    }
}

/// Two sums of [L, D] per layer and one for the vocabulary, of which a rank receives
/// 2 (P - 1) / P.
TEST_F(WanTextEncoder, what_a_rank_receives_is_as_the_formula_says) {
    const TextEncoderConfig config = wide_config();
    const store::StoreFile file = make_store(config, DType::float32);
    const parallel::VideoGroup group = group_of({.tensor = world().size()});
    const auto loaded = load(file, config, DType::float32, group);
    const TextEncoder encoder(config, loaded.weights, group);
    const Text text = text_of(24, config.vocabulary, 0);

    (void)encoder.encode(text.ids, text.mask);

    const double ranks = world().size();
    const double sums = 2 * 2 + 1;
    const double expected = sums * 24 * 512 * sizeof(float) * 2 * (ranks - 1) / ranks;
    const auto received = group.tensor->volumes().at("all-reduce");
    EXPECT_EQ(received.calls, sums);
    EXPECT_NEAR(static_cast<double>(received.bytes), expected, 0.02 * expected);
}

}  // namespace
}  // namespace reelyard::models::wan
