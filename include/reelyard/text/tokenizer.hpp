#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "reelyard/spec/checkpoint_config.hpp"

namespace reelyard::text {

/// Token ids of one text, padded to the requested length.
struct Tokens {
    std::vector<std::int64_t> ids;  ///< [L]
    std::vector<std::int64_t>
        mask;  ///< [L], 1 for tokens of the text (its end mark included), 0 for padding
    std::int64_t length = 0;  ///< number of ones in the mask
};

/// Text to token ids.
class Tokenizer {
public:
    Tokenizer() = default;
    Tokenizer(const Tokenizer&) = delete;
    Tokenizer& operator=(const Tokenizer&) = delete;
    virtual ~Tokenizer() = default;

    /// \param text UTF-8, already cleaned
    /// \param max_length tokens at most, the end mark included; longer texts are cut, shorter ones
    /// padded
    [[nodiscard]] virtual Tokens encode(const std::string& text, std::int64_t max_length) const = 0;
};

/// The tokenizer of a T5-like checkpoint, with the ids that T5Tokenizer of transformers 5.23 gives.
///
/// Read are tokenizer/tokenizer.json or, where there is none, tokenizer/spiece.model; then
/// tokenizer_config.json (and special_tokens_map.json where that has no added_tokens_decoder).
/// As in transformers:
/// - special tokens written out in a text ("</s>", "<extra_id_0>") are taken as those tokens;
/// - a run of characters that no piece has becomes one token of id 2, whatever the model calls it;
/// - byte pieces ("<0x41>") are never made up for such characters.
/// \throws Error (input) naming the file that is missing or unusable
[[nodiscard]] std::unique_ptr<Tokenizer> make_sentencepiece_tokenizer(
    const CheckpointConfig& config);

}  // namespace reelyard::text
