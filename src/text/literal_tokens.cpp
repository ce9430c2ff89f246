#include "literal_tokens.hpp"

#include <algorithm>

#include "unicode.hpp"

namespace reelyard::text {
namespace {

/// The longest token that `text` starts with.
const LiteralToken* token_at(std::string_view text, const std::vector<LiteralToken>& tokens) {
    const LiteralToken* best = nullptr;
    for (const LiteralToken& token : tokens) {
        if (text.starts_with(token.content) &&
            (best == nullptr || token.content.size() > best->content.size())) {
            best = &token;
        }
    }
    return best;
}

/// The start of the last character of `text` (not empty).
std::size_t last_character(std::string_view text) {
    std::size_t start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U) {
        --start;
    }
    return start;
}

std::size_t space_length_at_start(std::string_view text) {
    std::size_t length = 0;
    while (const std::size_t width = utf8_length(text.substr(length))) {
        if (!is_white_space(to_utf32(text.substr(length, width))[0])) {
            break;
        }
        length += width;
    }
    return length;
}

/// Where the white space that ends `text` starts.
std::size_t space_start_at_end(std::string_view text) {
    while (!text.empty()) {
        const std::size_t start = last_character(text);
        if (!is_white_space(to_utf32(text.substr(start))[0])) {
            break;
        }
        text = text.substr(0, start);
    }
    return text.size();
}

bool stands_alone(std::string_view before, std::string_view after) {
    const bool word_before =
        !before.empty() && is_part_of_word(to_utf32(before.substr(last_character(before)))[0]);
    const bool word_after =
        !after.empty() && is_part_of_word(to_utf32(after.substr(0, utf8_length(after)))[0]);
    return !word_before && !word_after;
}

}  // namespace

std::vector<TextPart> split_at_tokens(std::string_view text,
                                      const std::vector<LiteralToken>& tokens) {
    std::vector<TextPart> parts;
    std::size_t done = 0;
    std::size_t place = 0;
    while (place < text.size()) {
        const LiteralToken* token = token_at(text.substr(place), tokens);
        if (token == nullptr) {
            ++place;
            continue;
        }
        std::size_t start = place;
        std::size_t end = start + token->content.size();
        place = end;
        if (token->only_whole_words && !stands_alone(text.substr(0, start), text.substr(end))) {
            continue;
        }
        if (token->takes_space_before) {
            start = std::max(done, space_start_at_end(text.substr(0, start)));
        }
        if (token->takes_space_after) {
            end += space_length_at_start(text.substr(end));
            place = std::max(place, end);
        }
        if (start > done) {
            parts.push_back({text.substr(done, start - done), std::nullopt});
        }
        parts.push_back({text.substr(start, end - start), token->id});
        done = end;
    }
    if (done < text.size()) {
        parts.push_back({text.substr(done), std::nullopt});
    }
    return parts;
}

}  // namespace reelyard::text
