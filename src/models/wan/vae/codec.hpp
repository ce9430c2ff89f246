#pragma once

#include <memory>

#include "reelyard/models/video_codec.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/store/weight_set.hpp"

#include "wan/vae/config.hpp"

namespace reelyard::models::wan {

/// The codec of AutoencoderKLWan, computing in float32 on the device of its weights.
///
/// Weights are first touched by encode() or decode(), and each needs only those of its own half
/// (see describe_vae()).
/// All ranks of the group share the work: each has a band of rows of the picture, or, in tiling
/// mode, each takes tiles in turn.
/// \param weights scope of the VAE \param group outlives the codec
[[nodiscard]] std::unique_ptr<VideoCodec> make_vae_codec(const VaeConfig& config,
                                                         store::WeightSet weights,
                                                         const parallel::VideoGroup& group);

}  // namespace reelyard::models::wan
