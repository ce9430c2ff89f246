#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reelyard/spec/checkpoint_config.hpp"

namespace reelyard::models::wan {

/// vae/config.json of AutoencoderKLWan; absent keys have the values of the 2.1 model.
struct VaeConfig {
    std::int64_t base_dim = 96;                         ///< channels of the encoder's first level
    std::int64_t decoder_base_dim = 96;                 ///< the same of the decoder's last level
    std::int64_t z_dim = 16;                            ///< channels of a latent
    std::vector<std::int64_t> dim_mult = {1, 2, 4, 4};  ///< channels of a level, in base_dim
    std::int64_t num_res_blocks = 2;                    ///< per level; the decoder has one more
    std::vector<double> attn_scales;        ///< scales at which the encoder has attention
    std::vector<bool> temporal_downsample;  ///< per change of level: whether time is halved too
    std::int64_t in_channels = 3;
    std::int64_t out_channels = 3;
    std::vector<double> latents_mean;        ///< per latent channel
    std::vector<double> latents_std;         ///< per latent channel
    std::int64_t scale_factor_temporal = 4;  ///< frames per latent frame
    std::int64_t scale_factor_spatial = 8;   ///< pixels per latent pixel
};

/// \throws Error (input) naming file and key when the config is not usable or is of a VAE of
/// another kind
[[nodiscard]] VaeConfig parse_vae_config(const CheckpointConfig& checkpoint);

/// A layer between the first convolution and the output of the encoder or decoder.
struct VaeLayer {
    enum class Kind { residual, attention, downsample2d, downsample3d, upsample2d, upsample3d };
    Kind kind;
    std::string name;  ///< below "encoder" or "decoder": "down_blocks.0"
    std::int64_t channels_in;
    std::int64_t channels_out;
};

/// The layers in the order of computation, the middle ones included.
[[nodiscard]] std::vector<VaeLayer> encoder_layers(const VaeConfig& config);
[[nodiscard]] std::vector<VaeLayer> decoder_layers(const VaeConfig& config);

/// How many layers of a kind there are.
[[nodiscard]] std::int64_t count_of(const std::vector<VaeLayer>& layers, VaeLayer::Kind kind);

}  // namespace reelyard::models::wan
