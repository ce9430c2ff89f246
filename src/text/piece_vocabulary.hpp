#pragma once

#include <string>
#include <vector>

#include "reelyard/spec/checkpoint_config.hpp"

#include "literal_tokens.hpp"
#include "unigram.hpp"

namespace reelyard::text {

/// What the files of a T5-like tokenizer say.
struct PieceVocabulary {
    std::vector<Piece> pieces;           ///< in the order of their ids
    std::string character_map;           ///< see CharacterMap
    std::vector<LiteralToken> literals;  ///< their ids set, those beyond the pieces included
    std::string end_token;               ///< "</s>"
    std::string padding_token;           ///< "<pad>"
};

/// Reads tokenizer/tokenizer.json (the pieces and the character map only) or, where there is none,
/// tokenizer/spiece.model, and tokenizer_config.json. What becomes a literal token is decided as
/// transformers 5 decides it for T5Tokenizer.
/// \throws Error (input) naming the file that is missing or unusable
[[nodiscard]] PieceVocabulary read_piece_vocabulary(const CheckpointConfig& config);

}  // namespace reelyard::text
