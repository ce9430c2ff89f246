#pragma once

#include <array>
#include <cstdint>

#include "reelyard/spec/checkpoint_config.hpp"
#include "reelyard/spec/model_spec.hpp"

namespace reelyard::models::wan {

/// transformer/config.json; the defaults are those of diffusers' WanTransformer3DModel.
struct TransformerConfig {
    std::array<std::int64_t, 3> patch_size = {1, 2, 2};  ///< frames, rows, columns
    std::int64_t heads = 40;
    std::int64_t head_width = 128;
    std::int64_t in_channels = 16;
    std::int64_t out_channels = 16;
    std::int64_t text_width = 4096;
    std::int64_t frequency_width = 256;
    std::int64_t ffn_width = 13824;
    std::int64_t layers = 40;
    bool cross_attention_norm = true;
    double eps = 1e-6;
    std::int64_t rotary_length = 1024;  ///< positions per axis that the rotary tables reach

    [[nodiscard]] std::int64_t width() const { return heads * head_width; }
    [[nodiscard]] std::int64_t patch_volume() const {
        return patch_size[0] * patch_size[1] * patch_size[2];
    }
};

/// text_encoder/config.json; the defaults are those of transformers' UMT5Config.
struct TextEncoderConfig {
    std::int64_t vocabulary = 250112;
    std::int64_t width = 512;
    std::int64_t head_width = 64;
    std::int64_t ffn_width = 1024;
    std::int64_t layers = 8;
    std::int64_t heads = 6;
    std::int64_t buckets = 32;
    std::int64_t max_distance = 128;
    double eps = 1e-6;
};

/// Rows that the transformer's text context has once padded; the pipeline's constant.
constexpr std::int64_t context_length = 512;

/// \throws Error (input) that names file and key for what is not a Wan2.1 text-to-video model
[[nodiscard]] TransformerConfig transformer_config(const CheckpointConfig& checkpoint);
[[nodiscard]] TextEncoderConfig text_encoder_config(const CheckpointConfig& checkpoint);
/// Checks model_index.json.
void check_pipeline(const CheckpointConfig& checkpoint);
/// The model's own: its negative prompt, and the flow shift of its scheduler's config.
[[nodiscard]] GenerationDefaults generation_defaults(const CheckpointConfig& checkpoint);

}  // namespace reelyard::models::wan
