#include "wan/config.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"

#include "config_file.hpp"

namespace reelyard::models::wan {
namespace {

constexpr const char* scheduler_path = "scheduler/scheduler_config.json";

/// Checks that component `name` of model_index.json is `expected`: ["library", "class"].
void check_component(const ConfigFile& index, std::string_view name, std::string_view expected) {
    const nlohmann::json& entry = index.value(name);
    if (!entry.is_array() || entry.size() != 2 || entry[1] != expected) {
        index.refuse(name, fmt::format("the class {}", expected));
    }
}

void check_text_encoder_class(const ConfigFile& file) {
    file.require_text("model_type", "umt5");
    if (file.is_unset("architectures")) {
        return;
    }
    const nlohmann::json& classes = file.value("architectures");
    if (!classes.is_array() ||
        std::find(classes.begin(), classes.end(), "UMT5EncoderModel") == classes.end()) {
        file.refuse("architectures", "UMT5EncoderModel");
    }
}

}  // namespace

void check_pipeline(const CheckpointConfig& checkpoint) {
    const ConfigFile index(checkpoint, "model_index.json");
    index.require_text("_class_name", "WanPipeline");
    check_component(index, "transformer", "WanTransformer3DModel");
    check_component(index, "text_encoder", "UMT5EncoderModel");
    check_component(index, "vae", "AutoencoderKLWan");
    const nlohmann::json& second = index.value("transformer_2");
    if (!second.is_null() && !(second.is_array() && second.size() == 2 && second[1].is_null())) {
        index.refuse("transformer_2", "null: models of two transformers are not supported");
    }
    index.require_unset("boundary_ratio", "models of two transformers are not supported");
    index.require_boolean(
        "expand_timesteps", false, "models with a time for every token are not supported");
}

TransformerConfig transformer_config(const CheckpointConfig& checkpoint) {
    const ConfigFile file(checkpoint, "transformer/config.json");
    file.require_text("_class_name", "WanTransformer3DModel");
    constexpr std::string_view no_images = "image-to-video models are not supported";
    file.require_unset("added_kv_proj_dim", no_images);
    file.require_unset("image_dim", no_images);
    file.require_unset("pos_embed_seq_len", no_images);
    file.require_text("qk_norm", "rms_norm_across_heads");
    TransformerConfig config;
    const auto patch = file.positives("patch_size", {1, 2, 2}, 3);
    std::copy(patch.begin(), patch.end(), config.patch_size.begin());
    config.heads = file.positive("num_attention_heads", config.heads);
    config.head_width = file.positive("attention_head_dim", config.head_width);
    if (config.head_width % 2 != 0) {
        file.refuse("attention_head_dim", "an even number: rotary embeddings turn pairs");
    }
    config.in_channels = file.positive("in_channels", config.in_channels);
    config.out_channels = file.positive("out_channels", config.in_channels);
    config.text_width = file.positive("text_dim", config.text_width);
    config.frequency_width = file.positive("freq_dim", config.frequency_width);
    config.ffn_width = file.positive("ffn_dim", config.ffn_width);
    config.layers = file.positive("num_layers", config.layers);
    config.cross_attention_norm = file.boolean("cross_attn_norm", config.cross_attention_norm);
    config.eps = file.number("eps", config.eps);
    config.rotary_length = file.positive("rope_max_seq_len", config.rotary_length);
    return config;
}

TextEncoderConfig text_encoder_config(const CheckpointConfig& checkpoint) {
    const ConfigFile file(checkpoint, "text_encoder/config.json");
    check_text_encoder_class(file);
    file.require_text("feed_forward_proj", "gated-gelu");
    file.require_text("dense_act_fn", "gelu_new");
    TextEncoderConfig config;
    config.vocabulary = file.positive("vocab_size", config.vocabulary);
    config.width = file.positive("d_model", config.width);
    config.head_width = file.positive("d_kv", config.head_width);
    config.ffn_width = file.positive("d_ff", config.ffn_width);
    config.layers = file.positive("num_layers", config.layers);
    config.heads = file.positive("num_heads", config.heads);
    config.buckets = file.positive("relative_attention_num_buckets", config.buckets);
    if (config.buckets < 4) {
        file.refuse("relative_attention_num_buckets", "at least 4");
    }
    config.max_distance = file.positive("relative_attention_max_distance", config.max_distance);
    if (config.max_distance <= config.buckets / 4) {
        file.refuse("relative_attention_max_distance",
                    fmt::format("more than a quarter of the {} buckets", config.buckets));
    }
    config.eps = file.number("layer_norm_epsilon", config.eps);
    return config;
}

GenerationDefaults generation_defaults(const CheckpointConfig& checkpoint) {
    GenerationDefaults defaults;
    defaults.negative_prompt =
        "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量"
        "，"
        "低质量，JPEG压缩残留，丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，"
        "毁容的，形态畸形的肢体，手指融合，静止不动的画面，杂乱的背景，三条腿，背景人很多，倒着走";
    if (checkpoint.files.count(scheduler_path) != 0) {
        const ConfigFile scheduler(checkpoint, scheduler_path);
        defaults.flow_shift = scheduler.number("flow_shift", defaults.flow_shift);
        if (defaults.flow_shift <= 0) {
            scheduler.refuse("flow_shift", "a number above 0");
        }
    }
    return defaults;
}

}  // namespace reelyard::models::wan
