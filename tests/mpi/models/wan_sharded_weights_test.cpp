#include <cstdint>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/base/format.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/store/checkpoint/random_store.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/store/weight_loader.hpp"

#include "wan/tensors.hpp"
#include "wan/transformer/transformer.hpp"

#include "reelyard/test/shared_folder.hpp"
#include "reelyard/test/tensors.hpp"

// A transformer whose blocks are shared out over ranks: what it computes, keeps and exchanges.
namespace reelyard::models::wan {
namespace {

using test::random;

/// Three blocks, so that a pass ends with the other buffer than it began with.
TransformerConfig small_config() {
    return {.heads = 6,
            .head_width = 8,
            .in_channels = 4,
            .out_channels = 4,
            .text_width = 8,
            .frequency_width = 16,
            .ffn_width = 90,
            .layers = 3};
}

/// Blocks whose matrices outweigh the rest.
TransformerConfig wide_config() {
    return {.heads = 8,
            .head_width = 64,
            .in_channels = 4,
            .out_channels = 4,
            .text_width = 8,
            .frequency_width = 16,
            .ffn_width = 2048,
            .layers = 2};
}

/// All layouts that use every rank and have something to share.
std::vector<ParallelLayout> layouts_for(int ranks) {
    std::vector<ParallelLayout> layouts;
    for (int tensor = 1; tensor < ranks; ++tensor) {
        for (int ulysses = 1; ulysses * tensor <= ranks; ++ulysses) {
            const int ring = ranks / (ulysses * tensor);
            if (ring * ulysses * tensor == ranks && ulysses <= 6 / tensor) {
                layouts.push_back(
                    {.ring = ring, .ulysses = ulysses, .tensor = tensor, .shard_weights = true});
            }
        }
    }
    return layouts;
}

/// What this rank keeps of each block.
Shard part_of(const parallel::VideoGroup& group) {
    return {.degree = group.shards->size(), .index = group.shards->rank()};
}

class ShardedWeights : public testing::Test {
protected:
    [[nodiscard]] const mpi::Communicator& world() const { return folder_.world(); }

    /// \returns a store with random weights
    [[nodiscard]] store::StoreFile make_store(const TransformerConfig& config, DType dtype) const {
        const std::filesystem::path path = folder_ / "m.h5";
        world().barrier();
        if (world().rank() == 0) {
            const ModelSpec model{
                .family = "wan", .components = {transformer_tensors(config)}, .defaults = {}};
            store::write_random_store(path, {}, model, dtype);
        }
        world().barrier();
        return store::StoreFile::open(path, world());
    }

    /// \param block_part of each block that this rank keeps
    [[nodiscard]] store::LoadedWeights load(const store::StoreFile& file,
                                            const TransformerConfig& config,
                                            DType dtype,
                                            Shard slice,
                                            Shard block_part) const {
        return store::load_component(
            file,
            transformer_tensors(config),
            world(),
            {.compute = dtype, .tensor_parallel = slice, .weight_shard = block_part});
    }

    [[nodiscard]] parallel::VideoGroup group_of(const ParallelLayout& layout) const {
        return parallel::make_video_group(parallel::ProcessGrid(world(), layout), 60.0);
    }

    test::SharedFolder folder_;
};

/// Two steps of a video of 30 tokens.
at::Tensor velocities(WanTransformer& transformer) {
    const Conditioning prepared =
        transformer.prepare({.tensors = {{"context", random({1, 7, 8}, 2)}}});
    const at::Tensor latent = random({1, 4, 3, 4, 10}, 1);
    return at::stack({transformer.velocity(latent, at::tensor({900.0F}), prepared),
                      transformer.velocity(latent, at::tensor({500.0F}), prepared)});
}

TEST_F(ShardedWeights, compute_bit_for_bit_what_whole_ones_do_in_every_layout) {
    const TransformerConfig config = small_config();
    const parallel::VideoGroup alone = parallel::make_single_rank_group();
    for (const DType dtype : {DType::float32, DType::bfloat16}) {
        const store::StoreFile file = make_store(config, dtype);
        WanTransformer one(config, load(file, config, dtype, {}, {}).weights, dtype, alone);
        const at::Tensor of_one = velocities(one);
        for (const ParallelLayout& layout : layouts_for(world().size())) {
            SCOPED_TRACE(to_string(layout));
            const parallel::VideoGroup group = group_of(layout);
            const Shard slice = group.weights();
            WanTransformer whole(
                config, load(file, config, dtype, slice, {}).weights, dtype, group);
            const auto loaded = load(file, config, dtype, slice, part_of(group));
            ASSERT_EQ(loaded.blocks.size(), 3U);
            WanTransformer sharded(config, loaded.weights, dtype, group, loaded.blocks);

            const at::Tensor found = velocities(sharded);

            EXPECT_TRUE(at::equal(found, velocities(whole)));
            EXPECT_TRUE(at::equal(found, velocities(sharded))) << "a repeat differs";
            EXPECT_LT(test::relative_error(found, of_one), dtype == DType::float32 ? 2e-5 : 3e-2);
        }
    }
}

/// Float32 weights of all blocks, of one slice of them. Heads stay whole, so slices may differ.
double block_bytes(const TransformerConfig& config, Shard slice) {
    double bytes = 0;
    for (const TensorSpec& tensor : transformer_tensors(config).tensors) {
        if (!tensor.block) {
            continue;
        }
        auto shape = tensor.shape;
        if (tensor.split != Split::none) {
            std::int64_t& cut = shape[tensor.split == Split::rows ? 0 : 1];
            const Interval part = shard_of(cut, tensor.split_unit, slice);
            cut = part.end - part.begin;
        }
        bytes += static_cast<double>(element_count(shape)) * sizeof(float);
    }
    return bytes;
}

TEST_F(ShardedWeights, every_byte_is_read_once_and_a_rank_keeps_its_share) {
    const TransformerConfig config = wide_config();
    const store::StoreFile file = make_store(config, DType::float32);
    for (const ParallelLayout& layout : layouts_for(world().size())) {
        SCOPED_TRACE(to_string(layout));
        const parallel::VideoGroup group = group_of(layout);

        const auto loaded = load(file, config, DType::float32, group.weights(), part_of(group));

        double kept = 0;
        double largest = 0;
        for (const store::BlockShard& block : loaded.blocks) {
            kept += static_cast<double>(block.part.nbytes());
            largest = std::max(largest, static_cast<double>(block.cuts.back()));
        }
        for (const std::string& name : loaded.weights.names()) {
            kept += name.starts_with("blocks.")
                        ? static_cast<double>(loaded.weights.get(name).nbytes())
                        : 0.0;
        }
        const double slice = block_bytes(config, group.weights());
        const double share = slice / layout.same_weights_size();
        EXPECT_NEAR(kept, share, 0.05 * share);
        EXPECT_LE(largest, 1.05 * slice / static_cast<double>(config.layers));
        const double read = static_cast<double>(world().sum(loaded.report.bytes_read));
        EXPECT_NEAR(read / static_cast<double>(loaded.report.bytes_used), 1.0, 0.005);
    }
}

/// A pass brings (P - 1) / P of every block's bytes to each of P ranks; one block more is gathered
/// for a pass that does not come.
TEST_F(ShardedWeights, what_a_rank_receives_is_as_the_formula_says) {
    const TransformerConfig config = wide_config();
    const store::StoreFile file = make_store(config, DType::float32);
    const parallel::VideoGroup group = group_of({.ring = world().size(), .shard_weights = true});
    const auto loaded = load(file, config, DType::float32, {}, part_of(group));
    const double width = 512;
    const double hidden = 2048;
    const double block_bytes =
        sizeof(float) * (8 * width * width + 2 * width * hidden + 21 * width + hidden);
    WanTransformer transformer(config, loaded.weights, DType::float32, group, loaded.blocks);

    (void)velocities(transformer);

    const int passes = 3;  // the text, and two steps
    const double ranks = world().size();
    const double expected =
        (passes * static_cast<double>(config.layers) + 1) * block_bytes * (ranks - 1) / ranks;
    const auto received = group.shards->volumes().at("all-gather");
    EXPECT_EQ(received.calls, passes * config.layers + 1);
    EXPECT_NEAR(static_cast<double>(received.bytes), expected, 0.02 * expected);
}

TEST_F(ShardedWeights, the_next_block_is_gathered_while_one_computes) {
    const TransformerConfig config = small_config();
    const store::StoreFile file = make_store(config, DType::float32);
    const parallel::VideoGroup group = group_of({.ring = world().size(), .shard_weights = true});
    const auto loaded = load(file, config, DType::float32, {}, part_of(group));
    const BlockStack blocks(config, loaded.weights, loaded.blocks, group);
    std::vector<std::int64_t> started;

    for (int pass = 0; pass < 2; ++pass) {
        blocks.for_each([&](std::size_t /*index*/, const TransformerBlock& /*block*/) {
            started.push_back(group.shards->volumes().at("all-gather").calls);
        });
    }

    // When block k of a pass begins to compute, the gather behind its own has been started: of
    // block 0 of the next pass behind the last.
    EXPECT_EQ(started, (std::vector<std::int64_t>{2, 3, 4, 5, 6, 7}));
}

}  // namespace
}  // namespace reelyard::models::wan
