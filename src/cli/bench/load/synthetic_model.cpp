#include "synthetic_model.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/models/model_family.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/store/checkpoint/random_store.hpp"
#include "reelyard/store/store_file.hpp"

namespace reelyard::cli {
namespace {

using nlohmann::json;

// Of Wan2.1-14B: 40 heads of 128, a feed-forward width of 13824.
constexpr std::int64_t heads = 40;
constexpr std::int64_t layers = 40;
constexpr std::int64_t model_width = 5120;
constexpr std::int64_t model_ffn_width = 13824;
// Feed-forward widths are multiples of it, so that all tensor parallel degrees up to 64 that are
// powers of two divide them.
constexpr std::int64_t ffn_unit = 64;
constexpr std::int64_t text_width = 64;

struct Widths {
    std::int64_t head = 2;
    std::int64_t ffn = ffn_unit;
};

json transformer_config(const Widths& widths) {
    return {{"_class_name", "WanTransformer3DModel"},
            {"added_kv_proj_dim", nullptr},
            {"attention_head_dim", widths.head},
            {"cross_attn_norm", true},
            {"eps", 1e-6},
            {"ffn_dim", widths.ffn},
            {"freq_dim", 256},
            {"image_dim", nullptr},
            {"in_channels", 16},
            {"num_attention_heads", heads},
            {"num_layers", layers},
            {"out_channels", 16},
            {"patch_size", {1, 2, 2}},
            {"pos_embed_seq_len", nullptr},
            {"qk_norm", "rms_norm_across_heads"},
            {"rope_max_seq_len", 1024},
            {"text_dim", text_width}};
}

json text_encoder_config() {
    return {{"architectures", {"UMT5EncoderModel"}},
            {"d_ff", 128},
            {"d_kv", 16},
            {"d_model", text_width},
            {"dense_act_fn", "gelu_new"},
            {"feed_forward_proj", "gated-gelu"},
            {"is_gated_act", true},
            {"layer_norm_epsilon", 1e-6},
            {"model_type", "umt5"},
            {"num_heads", 4},
            {"num_layers", 2},
            {"relative_attention_max_distance", 128},
            {"relative_attention_num_buckets", 32},
            {"vocab_size", 256}};
}

json vae_config() {
    const std::vector<double> zeros(16, 0.0);
    const std::vector<double> ones(16, 1.0);
    return {{"_class_name", "AutoencoderKLWan"},
            {"attn_scales", json::array()},
            {"base_dim", 16},
            {"dim_mult", {1, 2, 4, 4}},
            {"dropout", 0.0},
            {"latents_mean", zeros},
            {"latents_std", ones},
            {"num_res_blocks", 1},
            {"temperal_downsample", {false, true, true}},
            {"z_dim", 16}};
}

json model_index() {
    return {{"_class_name", "WanPipeline"},
            {"scheduler", {"diffusers", "UniPCMultistepScheduler"}},
            {"text_encoder", {"transformers", "UMT5EncoderModel"}},
            {"tokenizer", {"transformers", "T5Tokenizer"}},
            {"transformer", {"diffusers", "WanTransformer3DModel"}},
            {"vae", {"diffusers", "AutoencoderKLWan"}}};
}

json scheduler_config() {
    return {{"_class_name", "UniPCMultistepScheduler"},
            {"flow_shift", 5.0},
            {"num_train_timesteps", 1000},
            {"prediction_type", "flow_prediction"},
            {"use_flow_sigmas", true}};
}

CheckpointConfig configs_of(const Widths& widths) {
    constexpr int indent = 2;
    return {.files = {{"model_index.json", model_index().dump(indent)},
                      {"scheduler/scheduler_config.json", scheduler_config().dump(indent)},
                      {"text_encoder/config.json", text_encoder_config().dump(indent)},
                      {"transformer/config.json", transformer_config(widths).dump(indent)},
                      {"vae/config.json", vae_config().dump(indent)}}};
}

ModelSpec describe(const CheckpointConfig& config) {
    return models::family_of(config).describe(config);
}

std::int64_t stored_bytes(const Widths& widths) {
    std::int64_t bytes = 0;
    for (const ComponentSpec& component : describe(configs_of(widths)).components) {
        for (const TensorSpec& tensor : component.tensors) {
            const bool is_wide = tensor.precision == Precision::keep_float32;
            bytes +=
                element_count(tensor.shape) * size_of(is_wide ? DType::float32 : DType::bfloat16);
        }
    }
    return bytes;
}

/// The feed-forward width that keeps the model's ratio, rounded down.
Widths in_proportion(std::int64_t head) {
    const std::int64_t ffn = heads * head * model_ffn_width / model_width;
    return {.head = head, .ffn = std::max(ffn / ffn_unit * ffn_unit, ffn_unit)};
}

/// Heads as wide as they may be, then a feed-forward part that makes up for the rest.
Widths widths_of(std::int64_t bytes) {
    Widths widths;
    while (stored_bytes(in_proportion(widths.head + 2)) <= bytes) {
        widths.head += 2;  // even: rotary embeddings turn pairs
    }
    widths = in_proportion(widths.head);
    while (stored_bytes(widths) < bytes) {
        widths.ffn += ffn_unit;
    }
    return widths;
}

}  // namespace

CheckpointConfig synthetic_model(std::int64_t bytes) {
    return configs_of(widths_of(bytes));
}

void provide_synthetic_store(const std::filesystem::path& path,
                             std::int64_t bytes,
                             const mpi::Communicator& world) {
    const CheckpointConfig config = synthetic_model(bytes);
    mpi::together(world, [&] {
        if (world.rank() == 0 && !std::filesystem::exists(path)) {
            log::info("writing a random model of {} to {}", format_bytes(bytes), path.string());
            store::write_random_store(path, config, describe(config), DType::bfloat16);
        }
    });
    const auto found = store::StoreFile::open(path, world).config().files;
    require(found == config.files,
            ErrorKind::input,
            "{}: holds another model (expected the random one of {}); name another file, or remove "
            "it",
            path.string(),
            format_bytes(bytes));
}

}  // namespace reelyard::cli
