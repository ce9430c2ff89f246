#include "cleaning/mojibake.hpp"

#include <algorithm>
#include <optional>

#include "cleaning/badness.hpp"
#include "cleaning/damaged_utf8.hpp"
#include "cleaning/encodings.hpp"
#include "unicode.hpp"

namespace reelyard::text {
namespace {

bool is_ascii(std::u32string_view text) {
    return std::ranges::all_of(text, [](char32_t c) { return c < 0x80; });
}

bool is_c1_control(char32_t c) {
    return c >= 0x80 && c <= 0x9F;
}

/// `text` as bytes of `encoding`, read as UTF-8; nothing when one of the two is not possible.
std::optional<std::u32string> reread(std::u32string_view text, const Encoding& encoding) {
    std::optional<std::string> bytes = encode(text, encoding);
    if (!bytes) {
        return std::nullopt;
    }
    if (encoding.may_lack_a0) {
        *bytes = restore_byte_a0(*bytes);
    }
    if (encoding.sloppy) {
        *bytes = replace_lossy_sequences(*bytes);
    }
    const bool variant = bytes->find_first_of("\xED\xC0") != std::string::npos;
    return variant ? decode_utf8_variants(*bytes) : decode_utf8(*bytes);
}

/// Garbled parts of a text that is sound elsewhere.
std::u32string fix_garbled_parts(const std::u32string& text) {
    std::u32string out;
    for (std::size_t i = 0; i < text.size();) {
        const std::size_t length = garbled_utf8_length(text, i);
        const std::u32string part = text.substr(i, std::max<std::size_t>(length, 1));
        const bool worth_it = length > 0 && length < text.size() && looks_garbled(part);
        out += worth_it ? fix_encoding(part) : part;
        i += part.size();
    }
    return out;
}

/// Text all in Latin-1 whose control characters all mean something in Windows-1252.
bool is_windows_1252_read_as_latin_1(std::u32string_view text) {
    return std::ranges::all_of(text, [](char32_t c) {
        return c <= 0xFF && !(is_c1_control(c) && windows_1252_character(c) == c);
    });
}

std::u32string fix_one_step(const std::u32string& text) {
    if (is_ascii(text) || !looks_garbled(text)) {
        return text;
    }
    for (const Encoding& encoding : misread_encodings()) {
        if (std::optional<std::u32string> fixed = reread(text, encoding)) {
            return *std::move(fixed);
        }
    }
    std::u32string fixed = fix_garbled_parts(text);
    if (fixed == text && is_windows_1252_read_as_latin_1(text)) {
        fixed = fix_c1_controls(text);
    }
    return fixed == text ? fix_c1_controls(text) : fixed;
}

}  // namespace

std::u32string fix_c1_controls(std::u32string text) {
    for (char32_t& c : text) {
        c = is_c1_control(c) ? windows_1252_character(c) : c;
    }
    return text;
}

std::u32string fix_encoding(std::u32string text) {
    while (true) {
        std::u32string fixed = fix_one_step(text);
        if (fixed == text) {
            return fixed;
        }
        text = std::move(fixed);
    }
}

}  // namespace reelyard::text
