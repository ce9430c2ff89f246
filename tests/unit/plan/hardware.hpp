#pragma once

#include <string>

#include "reelyard/spec/model_spec.hpp"
#include "reelyard/topology/inventory.hpp"

namespace reelyard::plan::test {

/// Nodes of eight GPUs with NVLink between them, a rank on each.
inline topology::Inventory gpu_nodes(int nodes, std::int64_t gpu_gib = 80) {
    topology::Inventory inventory;
    for (int n = 0; n < nodes; ++n) {
        topology::Node node{.name = "node-" + std::to_string(n),
                            .numa = {{.cores = {0, 1}}},
                            .gpus = {},
                            .island_link = {.kind = topology::LinkKind::nvlink, .gb_per_s = 450},
                            .gpu_link = {},
                            .numa_link = {},
                            .memory_bytes = std::int64_t{512} << 30};
        for (int g = 0; g < 8; ++g) {
            node.gpus.push_back({.model = "H100", .memory_bytes = gpu_gib << 30});
            inventory.ranks.push_back({.node = n, .numa = 0, .gpu = g, .cores = {}});
        }
        inventory.nodes.push_back(node);
    }
    return inventory;
}

/// As large as UMT5-XXL: 11 GB in bfloat16, of which the vocabulary has 2.
inline ComponentSpec large_text_encoder() {
    ComponentSpec encoder{.name = "text_encoder", .class_name = "any", .tensors = {}};
    encoder.tensors.push_back(
        {.name = "vocabulary", .shape = {250'112, 4096}, .split = Split::rows});
    for (int block = 0; block < 24; ++block) {
        encoder.tensors.push_back({.name = "heads",
                                   .shape = {4096, 4 * 4096},
                                   .split = Split::rows,
                                   .split_unit = 64,
                                   .block = block});
        encoder.tensors.push_back(
            {.name = "hidden", .shape = {10'240, 3 * 4096}, .split = Split::rows, .block = block});
    }
    return encoder;
}

/// As large as Wan2.1-14B where it counts: 28 GB of weights in bfloat16, nearly all of them split.
inline ModelSpec large_model() {
    ModelSpec model{.family = "wan",
                    .components = {},
                    .defaults = {},
                    .attention_heads = 40,
                    .head_width = 128,
                    .layers = 40,
                    .ffn_width = 13824};
    ComponentSpec transformer{.name = "transformer", .class_name = "any", .tensors = {}};
    for (int block = 0; block < 40; ++block) {
        transformer.tensors.push_back({.name = "heads",
                                       .shape = {5120, 35'000},
                                       .split = Split::rows,
                                       .split_unit = 128,
                                       .block = block});
        transformer.tensors.push_back(
            {.name = "hidden", .shape = {13824, 12'000}, .split = Split::rows, .block = block});
    }
    transformer.tensors.push_back(
        {.name = "norms", .shape = {1'000'000}, .precision = Precision::keep_float32});
    model.components.push_back(transformer);
    model.components.push_back(large_text_encoder());
    model.components.push_back(
        {.name = "vae",
         .class_name = "any",
         .tensors = {
             {.name = "all", .shape = {127'000'000}, .precision = Precision::keep_float32}}});
    return model;
}

constexpr std::int64_t tokens_480p = 21 * 30 * 52;
constexpr std::int64_t tokens_720p = 21 * 45 * 80;

}  // namespace reelyard::plan::test
