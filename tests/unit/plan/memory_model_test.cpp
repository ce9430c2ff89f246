#include "reelyard/plan/memory_model.hpp"

#include <gtest/gtest.h>

#include "hardware.hpp"

namespace reelyard::plan {
namespace {

TEST(MemoryModel, counts_whole_heads_and_the_types_of_weights) {
    const ComponentSpec component{
        .name = "transformer",
        .class_name = "any",
        .tensors = {{.name = "q", .shape = {20, 3}, .split = Split::rows, .split_unit = 4},
                    {.name = "out", .shape = {3, 20}, .split = Split::columns, .split_unit = 4},
                    {.name = "bias", .shape = {20}},
                    {.name = "norm", .shape = {20}, .precision = Precision::keep_float32}}};

    EXPECT_EQ(weight_bytes(component, DType::bfloat16, {}), 2 * (60 + 60 + 20) + 4 * 20);
    // Five heads on two ranks: two of them, and three.
    EXPECT_EQ(weight_bytes(component, DType::bfloat16, {.degree = 2, .index = 0}),
              2 * (24 + 24 + 20) + 4 * 20);
    EXPECT_EQ(weight_bytes(component, DType::float32, {.degree = 2, .index = 1}),
              4 * (36 + 36 + 20 + 20));
}

TEST(MemoryModel, has_less_for_each_rank_the_more_of_them_share_a_video) {
    const ModelSpec model = test::large_model();
    const Workload workload{.tokens = test::tokens_720p};
    const auto memory = [&](const ParallelLayout& layout) {
        return memory_of(model, workload, layout, {});
    };

    EXPECT_LT(memory({.ulysses = 8}).activations, memory({}).activations / 2);
    EXPECT_LT(memory({.tensor = 8}).weights, memory({}).weights / 4);
    EXPECT_EQ(memory({.ulysses = 8}).weights, memory({}).weights);
    // An eighth, and two blocks of forty.
    const auto transformer = [&](const ParallelLayout& layout) {
        return static_cast<double>(memory(layout).weights) - 127e6 * 4;
    };
    EXPECT_NEAR(transformer({.ulysses = 8, .shard_weights = true}),
                transformer({}) * (1.0 / 8 + 2.0 / 40),
                0.01 * transformer({}));
}

TEST(MemoryModel, counts_the_text_encoder_as_ranks_hold_it) {
    const ModelSpec model = test::large_model();
    const auto held = [&](const ParallelLayout& layout) {
        return static_cast<double>(
            memory_of(model, {.tokens = test::tokens_480p}, layout, {}).text_encoder);
    };
    const double vocabulary = 2.0 * 250'112 * 4096;
    const double block = 2.0 * (4 * 4096 * 4096 + 3 * 4096 * 10'240);
    const double all = vocabulary + 24 * block;

    EXPECT_DOUBLE_EQ(held({}), all);
    EXPECT_DOUBLE_EQ(held({.replicas = 4, .ulysses = 2}), all);
    EXPECT_DOUBLE_EQ(held({.tensor = 8}), all / 8);
    // Blocks are shared out, the vocabulary is not.
    EXPECT_DOUBLE_EQ(held({.ring = 2, .ulysses = 2, .shard_weights = true}),
                     vocabulary + (6 + 2) * block);
    EXPECT_DOUBLE_EQ(held({.ulysses = 4, .tensor = 2, .shard_weights = true}),
                     (vocabulary + (6 + 2) * block) / 2);
}

TEST(MemoryModel, is_ruled_by_the_stage_that_needs_more) {
    ModelSpec model = test::large_model();
    const Workload workload{.tokens = 1};
    const topology::Inventory gpus = test::gpu_nodes(1);
    const ParallelLayout sharded{.ulysses = 8, .shard_weights = true};
    const RankMemory memory = memory_of(model, workload, sharded, {});
    EXPECT_EQ(memory.total(), memory.weights + memory.activations);

    // A small transformer beside the same text encoder.
    model.components.front().tensors.resize(2);
    const std::int64_t needed = tightest_memory(model, workload, {.replicas = 8}, gpus).needed;

    EXPECT_EQ(needed, weight_bytes(model.component("text_encoder"), DType::bfloat16, {}));
    EXPECT_EQ(memory_of(model, workload, {}, {}).total(), needed);
}

TEST(MemoryModel, shares_weights_among_the_ranks_of_a_node_that_compute_on_its_cores) {
    const ModelSpec model = test::large_model();
    const Workload workload{.tokens = 1};
    topology::Inventory cores = test::gpu_nodes(1);
    for (topology::Place& place : cores.ranks) {
        place.gpu = -1;
    }
    const auto needed = [&](const ParallelLayout& layout) {
        return tightest_memory(model, workload, layout, cores).needed;
    };
    const std::int64_t weights = weight_bytes(model.component("transformer"), DType::bfloat16, {});

    EXPECT_LT(needed({.replicas = 8}), 2 * weights);
    EXPECT_LT(needed({.tensor = 8}), 2 * weights);
    EXPECT_GT(tightest_memory(model, workload, {.replicas = 8}, test::gpu_nodes(1)).needed,
              weights);
}

TEST(MemoryModel, adds_up_the_ranks_that_share_a_gpu) {
    const ModelSpec model = test::large_model();
    const Workload workload{.tokens = 1};
    topology::Inventory shared = test::gpu_nodes(1);
    shared.ranks[1].gpu = 0;

    const MemoryUse use = tightest_memory(model, workload, {.replicas = 8}, shared);

    EXPECT_EQ(use.gpu, 0);
    EXPECT_EQ(use.ranks, 2);
    EXPECT_EQ(use.needed, 2 * memory_of(model, workload, {}, {}).total());
}

}  // namespace
}  // namespace reelyard::plan
