#include "wan/family.hpp"

#include <numeric>
#include <utility>

#include "reelyard/base/error.hpp"
#include "reelyard/text/tokenizer.hpp"

#include "config_file.hpp"
#include "wan/config.hpp"
#include "wan/evaluations.hpp"
#include "wan/tensors.hpp"
#include "wan/text/conditioner.hpp"
#include "wan/transformer/transformer.hpp"
#include "wan/vae/codec.hpp"
#include "wan/vae/spec.hpp"

namespace reelyard::models::wan {
namespace {

bool recognise(const CheckpointConfig& checkpoint) {
    return ConfigFile(checkpoint, "model_index.json").text("_class_name", "") == "WanPipeline";
}

/// What the configs of the parts must agree on.
void check_agreement(const TransformerConfig& transformer,
                     const TextEncoderConfig& text_encoder,
                     const VaeConfig& vae) {
    const auto agree =
        [](std::int64_t found, const char* key, std::int64_t expected, const char* other) {
            require(found == expected,
                    ErrorKind::input,
                    "transformer/config.json: '{}' is {} (expected {}, {})",
                    key,
                    found,
                    expected,
                    other);
        };
    agree(transformer.in_channels, "in_channels", vae.z_dim, "'z_dim' of vae/config.json");
    agree(transformer.out_channels, "out_channels", vae.z_dim, "'z_dim' of vae/config.json");
    agree(transformer.text_width,
          "text_dim",
          text_encoder.width,
          "'d_model' of text_encoder/config.json");
}

ModelSpec describe(const CheckpointConfig& checkpoint) {
    check_pipeline(checkpoint);
    const TransformerConfig transformer = transformer_config(checkpoint);
    const TextEncoderConfig text_encoder = text_encoder_config(checkpoint);
    const VaeConfig vae = parse_vae_config(checkpoint);
    check_agreement(transformer, text_encoder, vae);
    return {.family = "wan",
            .components = {transformer_tensors(transformer),
                           text_encoder_tensors(text_encoder),
                           describe_vae(vae)},
            .defaults = generation_defaults(checkpoint),
            .frames_per_second = 16.0,
            .latent_channels = vae.z_dim,
            .temporal_compression = vae.scale_factor_temporal,
            .spatial_compression = vae.scale_factor_spatial,
            .size_multiple = vae.scale_factor_spatial *
                             std::lcm(transformer.patch_size[1], transformer.patch_size[2]),
            .attention_heads = transformer.heads,
            .head_width = transformer.head_width,
            .layers = transformer.layers,
            .ffn_width = transformer.ffn_width,
            .text_rows = context_length,
            .latent_per_token = transformer.patch_volume(),
            .max_grid = transformer.rotary_length};
}

std::unique_ptr<Conditioner> make_conditioner(const CheckpointConfig& checkpoint,
                                              const store::LoadedWeights& loaded,
                                              DType /*compute*/,
                                              const parallel::VideoGroup& group) {
    return std::make_unique<TextConditioner>(
        text::make_sentencepiece_tokenizer(checkpoint),
        TextEncoder(text_encoder_config(checkpoint), loaded.weights, group, loaded.blocks));
}

std::unique_ptr<Transformer> make_transformer(const CheckpointConfig& checkpoint,
                                              const store::LoadedWeights& loaded,
                                              DType compute,
                                              const parallel::VideoGroup& group) {
    return std::make_unique<WanTransformer>(
        transformer_config(checkpoint), loaded.weights, compute, group, loaded.blocks);
}

std::unique_ptr<VideoCodec> make_codec(const CheckpointConfig& checkpoint,
                                       store::WeightSet weights,
                                       const parallel::VideoGroup& group) {
    return make_vae_codec(parse_vae_config(checkpoint), std::move(weights), group);
}

}  // namespace

ModelFamily make_family() {
    return {.name = "wan",
            .recognise = recognise,
            .describe = describe,
            .make_conditioner = make_conditioner,
            .make_transformer = make_transformer,
            .make_codec = make_codec,
            .needed_for_decoding = needed_for_decoding,
            .evaluations = evaluations()};
}

}  // namespace reelyard::models::wan
