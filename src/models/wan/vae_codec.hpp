#pragma once

#include <memory>

#include "reelyard/models/video_codec.hpp"
#include "reelyard/store/weight_set.hpp"

#include "wan/vae_config.hpp"

namespace reelyard::models::wan {

/// The codec of AutoencoderKLWan, computing in float32 on the device of its weights.
///
/// Weights are first touched by encode() or decode(), and each needs only those of its own half
/// (see describe_vae()).
/// \param weights scope of the VAE
[[nodiscard]] std::unique_ptr<VideoCodec> make_vae_codec(const VaeConfig& config,
                                                         store::WeightSet weights);

}  // namespace reelyard::models::wan
