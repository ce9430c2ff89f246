#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/base/format.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/store/checkpoint/random_store.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/store/weight_loader.hpp"
#include "reelyard/trace/recorder.hpp"

#include "wan/tensors.hpp"
#include "wan/transformer/transformer.hpp"

#include "reelyard/test/shared_folder.hpp"
#include "reelyard/test/tensors.hpp"
#include "reelyard/test/trace_events.hpp"

// What a transformer records of its blocks and of what its ranks exchange meanwhile.
namespace reelyard::models::wan {
namespace {

using trace::Event;

constexpr int layers = 3;

TransformerConfig small_config() {
    return {.heads = 6,
            .head_width = 8,
            .in_channels = 4,
            .out_channels = 4,
            .text_width = 8,
            .frequency_width = 16,
            .ffn_width = 90,
            .layers = layers};
}

class WanTrace : public testing::Test {
protected:
    /// One pass of a video of 30 tokens, after the text's.
    void compute(const ParallelLayout& layout) {
        const TransformerConfig config = small_config();
        const parallel::VideoGroup group = parallel::make_video_group(
            parallel::ProcessGrid(world(), layout), 60.0, c10::DeviceType::CPU, &recorder_);
        const auto loaded = load(config, group);
        WanTransformer transformer(config, loaded.weights, DType::float32, group, loaded.blocks);
        const Conditioning prepared =
            transformer.prepare({.tensors = {{"context", test::random({1, 7, 8}, 2)}}});
        (void)transformer.velocity(
            test::random({1, 4, 3, 4, 10}, 1), at::tensor({900.0F}), prepared);
    }

    [[nodiscard]] std::vector<Event> events(std::string_view name) const {
        return test::events_named(recorder_, name);
    }

    [[nodiscard]] const mpi::Communicator& world() const { return folder_.world(); }

private:
    [[nodiscard]] store::LoadedWeights load(const TransformerConfig& config,
                                            const parallel::VideoGroup& group) const {
        const std::filesystem::path path = folder_ / "m.h5";
        const ModelSpec model{
            .family = "wan", .components = {transformer_tensors(config)}, .defaults = {}};
        if (world().rank() == 0) {
            store::write_random_store(path, {}, model, DType::float32);
        }
        world().barrier();
        return store::load_component(
            store::StoreFile::open(path, world()),
            transformer_tensors(config),
            world(),
            {.compute = DType::float32,
             .tensor_parallel = group.weights(),
             .weight_shard = {.degree = group.shards->size(), .index = group.shards->rank()}});
    }

    test::SharedFolder folder_;
    trace::Recorder recorder_;
};

bool contains(const Event& outer, const Event& inner) {
    return outer.begin <= inner.begin && inner.end <= outer.end;
}

TEST_F(WanTrace, blocks_lie_in_a_pass_and_have_three_parts) {
    compute({.ulysses = world().size()});

    const std::vector<Event> pass = events("velocity");
    const std::vector<Event> blocks = events("block");
    ASSERT_EQ(pass.size(), 1U);
    ASSERT_EQ(blocks.size(), static_cast<std::size_t>(layers));
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        EXPECT_EQ(blocks[i].name, fmt::format("block {}", i));
        EXPECT_TRUE(contains(pass[0], blocks[i]));
    }
    for (const char* part : {"self attention", "cross attention", "feed-forward"}) {
        const std::vector<Event> found = events(part);
        ASSERT_EQ(found.size(), blocks.size()) << part;
        for (std::size_t i = 0; i < found.size(); ++i) {
            EXPECT_TRUE(contains(blocks[i], found[i])) << part;
        }
    }
}

TEST_F(WanTrace, each_block_trades_tokens_for_heads_and_back_once) {
    compute({.ulysses = world().size()});

    const std::vector<Event> trades = events("ulysses all-to-all");
    const std::vector<Event> attentions = events("self attention");
    EXPECT_EQ(trades.size(), 2U * layers);
    for (const Event& attention : attentions) {
        EXPECT_EQ(std::count_if(trades.begin(),
                                trades.end(),
                                [&](const Event& trade) { return contains(attention, trade); }),
                  2);
    }
}

TEST_F(WanTrace, next_block_is_under_way_when_one_begins_and_there_when_it_begins_itself) {
    compute({.ring = world().size(), .shard_weights = true});

    const std::vector<Event> gathers = events("shards all-gather");
    const std::vector<Event> blocks = events("block");
    // The text's pass, this one, and one block for the next.
    ASSERT_EQ(gathers.size(), 2U * layers + 1);
    ASSERT_EQ(blocks.size(), static_cast<std::size_t>(layers));
    for (std::size_t k = 0; k < blocks.size(); ++k) {
        const Event& own = gathers[layers + k];
        const Event& next = gathers[layers + k + 1];
        EXPECT_LE(own.end, blocks[k].begin);
        EXPECT_LE(next.begin, blocks[k].begin);
        EXPECT_GT(next.end, blocks[k].begin);
    }
}

}  // namespace
}  // namespace reelyard::models::wan
