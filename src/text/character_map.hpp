#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reelyard::text {

/// The precompiled normaliser of a SentencePiece model: a trie from characters to what replaces
/// them (for most models NFKC and some rules for white space and controls).
class CharacterMap {
public:
    /// \param blob the field precompiled_charsmap; empty for a model that changes nothing
    /// \throws Error (input) when it is cut or inconsistent
    explicit CharacterMap(std::string_view blob);

    /// Applied to each grapheme cluster below six bytes as a whole, otherwise to its characters, as
    /// the Hugging Face tokenizers do. \param text UTF-8
    [[nodiscard]] std::string apply(std::string_view text) const;

private:
    /// What stands for the shortest beginning of `text` that the trie has, or nothing.
    [[nodiscard]] std::optional<std::string_view> find(std::string_view text) const;

    std::vector<std::uint32_t> trie_;  ///< double array as darts-clone lays it out
    std::string replacements_;         ///< each ended by a zero byte
};

}  // namespace reelyard::text
