#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reelyard::text {

/// What a text library must know of characters. Text is UTF-8 at the borders of the module and
/// UTF-32 inside it.

/// Strict: nothing when `bytes` is not UTF-8 (over-long forms, surrogates, cut sequences).
[[nodiscard]] std::optional<std::u32string> decode_utf8(std::string_view bytes);
/// \throws Error (input) when `text` is not UTF-8
[[nodiscard]] std::u32string to_utf32(std::string_view text);
[[nodiscard]] std::string to_utf8(std::u32string_view text);
void append_utf8(char32_t point, std::string& out);

/// Reads one UTF-8 character at the start of `bytes`: its length, or 0 when it is not one.
[[nodiscard]] std::size_t utf8_length(std::string_view bytes);

/// Canonical composition (NFC).
[[nodiscard]] std::u32string nfc(const std::u32string& text);

/// White space as Python's str.strip() and \s see it.
[[nodiscard]] bool is_python_space(char32_t point);
/// The property White_Space of Unicode.
[[nodiscard]] bool is_white_space(char32_t point);
/// A letter, a number or the low line: \w of Python.
[[nodiscard]] bool is_word_character(char32_t point);
/// A letter, mark, digit or connector: \w of Unicode's guideline for regular expressions, but for
/// symbols that look like letters.
[[nodiscard]] bool is_part_of_word(char32_t point);
/// A decimal digit of any script: \d of Python.
[[nodiscard]] bool is_decimal_digit(char32_t point);

/// Length in code points of the first extended grapheme cluster of `text` (not empty).
[[nodiscard]] std::size_t grapheme_length(std::u32string_view text);

}  // namespace reelyard::text
