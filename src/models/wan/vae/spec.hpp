#pragma once

#include "reelyard/spec/model_spec.hpp"

#include "wan/vae/config.hpp"

namespace reelyard::models::wan {

/// The tensors of the VAE, all used in float32. Those of the encoder are named "encoder..." and
/// "quant_conv...", those of the decoder "decoder..." and "post_quant_conv...".
[[nodiscard]] ComponentSpec describe_vae(const VaeConfig& config);

}  // namespace reelyard::models::wan
