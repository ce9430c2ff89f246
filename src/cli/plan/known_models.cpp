#include "known_models.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"
#include "reelyard/models/model_family.hpp"
#include "reelyard/spec/checkpoint_config.hpp"

namespace reelyard::cli {
namespace {

using nlohmann::json;

/// What tells the sizes of Wan2.1 apart (transformer/config.json of Wan-AI's checkpoints).
struct WanSize {
    const char* name;
    std::int64_t heads;
    std::int64_t ffn_width;
    std::int64_t layers;
};

constexpr std::array wan_sizes{
    WanSize{.name = "wan-1.3b", .heads = 12, .ffn_width = 8960, .layers = 30},
    WanSize{.name = "wan-14b", .heads = 40, .ffn_width = 13824, .layers = 40},
};

/// All sizes have the same VAE, that of the defaults, and the text encoder UMT5-XXL.
CheckpointConfig checkpoint_of(const WanSize& size) {
    const json index{{"_class_name", "WanPipeline"},
                     {"text_encoder", {"transformers", "UMT5EncoderModel"}},
                     {"transformer", {"diffusers", "WanTransformer3DModel"}},
                     {"vae", {"diffusers", "AutoencoderKLWan"}}};
    const json transformer{{"_class_name", "WanTransformer3DModel"},
                           {"attention_head_dim", 128},
                           {"ffn_dim", size.ffn_width},
                           {"num_attention_heads", size.heads},
                           {"num_layers", size.layers},
                           {"text_dim", 4096}};
    const json text_encoder{{"architectures", {"UMT5EncoderModel"}},
                            {"d_ff", 10240},
                            {"d_kv", 64},
                            {"d_model", 4096},
                            {"model_type", "umt5"},
                            {"num_heads", 64},
                            {"num_layers", 24},
                            {"vocab_size", 256384}};
    const json vae{{"_class_name", "AutoencoderKLWan"}};
    return {.files = {{"model_index.json", index.dump()},
                      {"text_encoder/config.json", text_encoder.dump()},
                      {"transformer/config.json", transformer.dump()},
                      {"vae/config.json", vae.dump()}}};
}

}  // namespace

std::vector<std::string> known_model_names() {
    std::vector<std::string> names;
    names.reserve(wan_sizes.size());
    for (const WanSize& size : wan_sizes) {
        names.emplace_back(size.name);
    }
    return names;
}

ModelSpec known_model(const std::string& name) {
    const auto* size = std::find_if(
        wan_sizes.begin(), wan_sizes.end(), [&](const WanSize& s) { return s.name == name; });
    REELYARD_EXPECT(size != wan_sizes.end());
    const CheckpointConfig checkpoint = checkpoint_of(*size);
    return models::family_of(checkpoint).describe(checkpoint);
}

}  // namespace reelyard::cli
