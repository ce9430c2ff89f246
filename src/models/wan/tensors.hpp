#pragma once

#include "reelyard/spec/model_spec.hpp"

#include "wan/config.hpp"

namespace reelyard::models::wan {

/// Every tensor of the transformer, named as diffusers does.
[[nodiscard]] ComponentSpec transformer_tensors(const TransformerConfig& config);

/// Every tensor of the text encoder, named as transformers does.
[[nodiscard]] ComponentSpec text_encoder_tensors(const TextEncoderConfig& config);

}  // namespace reelyard::models::wan
