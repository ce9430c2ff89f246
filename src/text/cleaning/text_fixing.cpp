#include "cleaning/text_fixing.hpp"

#include <algorithm>
#include <string_view>

#include "cleaning/html_entities.hpp"
#include "cleaning/mojibake.hpp"
#include "unicode.hpp"

namespace reelyard::text {
namespace {

/// A character and what is put in its place.
struct WidthForm {
    char32_t character;
    std::u32string_view standard;
};

#include "cleaning/width_forms.inc"

constexpr std::size_t longest_segment = 1'000'000;
constexpr char32_t escape_character = 0x1B;

constexpr WidthForm ligatures[] = {
    {U'Ĳ', U"IJ"},  {U'ĳ', U"ij"},  {U'ŉ', U"ʼn"}, {U'Ǆ', U"DŽ"}, {U'ǅ', U"Dž"}, {U'ǆ', U"dž"},
    {U'Ǉ', U"LJ"},  {U'ǈ', U"Lj"},  {U'ǉ', U"lj"}, {U'Ǌ', U"NJ"}, {U'ǋ', U"Nj"}, {U'ǌ', U"nj"},
    {U'Ǳ', U"DZ"},  {U'ǲ', U"Dz"},  {U'ǳ', U"dz"}, {U'ﬀ', U"ff"}, {U'ﬁ', U"fi"}, {U'ﬂ', U"fl"},
    {U'ﬃ', U"ffi"}, {U'ﬄ', U"ffl"}, {U'ﬅ', U"ſt"}, {U'ﬆ', U"st"},
};

template <std::size_t N>
std::u32string replaced(std::u32string_view text, const WidthForm (&forms)[N]) {
    std::u32string out;
    for (const char32_t c : text) {
        const auto* const form = std::ranges::lower_bound(forms, c, {}, &WidthForm::character);
        if (form != std::end(forms) && form->character == c) {
            out += form->standard;
        } else {
            out.push_back(c);
        }
    }
    return out;
}

std::u32string fix_character_width(std::u32string text) {
    constexpr char32_t ideographic_space = 0x3000;
    std::ranges::replace(text, ideographic_space, U' ');
    return replaced(text, width_forms);
}

std::u32string uncurl_quotes(std::u32string text) {
    for (char32_t& c : text) {
        if (c == 0x02BC || (c >= 0x2018 && c <= 0x201B)) {
            c = U'\'';
        } else if (c >= 0x201C && c <= 0x201F) {
            c = U'"';
        }
    }
    return text;
}

std::u32string fix_line_breaks(std::u32string_view text) {
    std::u32string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char32_t c = text[i];
        const bool before_newline = c == U'\r' && i + 1 < text.size() && text[i + 1] == U'\n';
        const bool line_break = c == U'\r' || c == 0x2028 || c == 0x2029 || c == 0x85;
        if (!before_newline) {
            out.push_back(line_break ? U'\n' : c);
        }
    }
    return out;
}

/// Length of a terminal escape (as "ESC[1;31m") at the start of `text`, 0 for none.
std::size_t terminal_escape_length(std::u32string_view text) {
    if (text.size() < 3 || text[0] != escape_character || text[1] != U'[') {
        return 0;
    }
    std::size_t end = 2;
    while (end < text.size() && (text[end] == U';' || is_decimal_digit(text[end]))) {
        ++end;
    }
    const char32_t lower = end < text.size() ? (text[end] | 0x20U) : 0;
    return lower >= U'a' && lower <= U'z' ? end + 1 : 0;
}

std::u32string remove_terminal_escapes(std::u32string_view text) {
    std::u32string out;
    while (!text.empty()) {
        const std::size_t length = terminal_escape_length(text);
        if (length == 0) {
            out.push_back(text.front());
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

bool is_unwanted_control(char32_t c) {
    return c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
           (c >= 0x206A && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}

/// One segment, again and again until nothing changes.
std::u32string fix_segment(std::u32string text, bool with_entities) {
    while (true) {
        std::u32string fixed = with_entities ? unescape_complete_entities(text) : text;
        fixed = fix_c1_controls(fix_encoding(std::move(fixed)));
        fixed = fix_character_width(replaced(fixed, ligatures));
        fixed = fix_line_breaks(uncurl_quotes(std::move(fixed)));
        fixed = remove_terminal_escapes(fixed);
        std::erase_if(fixed, is_unwanted_control);
        fixed = nfc(fixed);
        if (fixed == text) {
            return fixed;
        }
        text = std::move(fixed);
    }
}

}  // namespace

std::u32string fix_text(const std::u32string& text) {
    std::u32string out;
    bool with_entities = true;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t newline = text.find(U'\n', start);
        const std::size_t end = newline == std::u32string::npos ? text.size() : newline + 1;
        std::u32string segment = text.substr(start, std::min(end - start, longest_segment));
        start += segment.size();
        // From the first "<" on the text is taken for HTML, whose entities are meant.
        with_entities = with_entities && segment.find(U'<') == std::u32string::npos;
        out += fix_segment(std::move(segment), with_entities);
    }
    return out;
}

}  // namespace reelyard::text
