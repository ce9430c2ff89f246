#pragma once

#include <vector>

#include "reelyard/models/model_family.hpp"

namespace reelyard::models::wan {

/// tokenizer, text_encoder, transformer, vae_encode, vae_decode.
[[nodiscard]] std::vector<Evaluation> evaluations();

/// Whether a tensor of the VAE belongs to its decoder.
[[nodiscard]] bool needed_for_decoding(const std::string& tensor);

}  // namespace reelyard::models::wan
