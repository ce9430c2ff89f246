#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reelyard::text {

/// A token that is found in a text as it is written: "</s>", "<extra_id_0>".
struct LiteralToken {
    std::string content;
    std::int64_t id = -1;
    bool takes_space_before = false;  ///< "lstrip" of the tokenizer files
    bool takes_space_after = false;   ///< "rstrip"
    bool only_whole_words = false;    ///< "single_word"
    bool in_normalised_text = false;  ///< "normalized": sought after the character map, not before
};

/// A part of a text: a token, or text between tokens.
struct TextPart {
    std::string_view text;
    std::optional<std::int64_t> token;
};

/// Cuts `text` at the tokens: leftmost first, of those the longest.
[[nodiscard]] std::vector<TextPart> split_at_tokens(std::string_view text,
                                                    const std::vector<LiteralToken>& tokens);

}  // namespace reelyard::text
