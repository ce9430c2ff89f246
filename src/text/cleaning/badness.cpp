#include "cleaning/badness.hpp"

#include <algorithm>
#include <cstdint>

#include "unicode.hpp"

namespace reelyard::text {
namespace {

/// Code points that belong to the same classes.
struct ClassRange {
    char32_t first;
    char32_t last;
    std::uint64_t classes;
};

/// Classes that are suspicious one after the other. An item is the number of a class, a Special, or
/// `single` plus a code point.
struct ClassRow {
    bool at_start;
    int length;
    int items[7];
};

enum Special : int { space = -1, word = -2, any_but_newline = -3, not_latin_letter = -4 };
constexpr int single = 100;

#include "cleaning/badness_tables.inc"

// The first classes of the table.
constexpr int continuation_strict = 0;
constexpr int continuation = 1;
constexpr int first_of_2 = 2;
constexpr int first_of_4 = 4;

bool is_latin_letter(char32_t c) {
    return (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
}

bool in_class(char32_t c, int number) {
    const auto* const range = std::ranges::lower_bound(class_ranges, c, {}, &ClassRange::last);
    return range != std::end(class_ranges) && c >= range->first &&
           ((range->classes >> static_cast<unsigned>(number)) & 1U) != 0;
}

bool fits(char32_t c, int item) {
    switch (item) {
        case space:
            return is_python_space(c);
        case word:
            return is_word_character(c);
        case any_but_newline:
            return c != U'\n';
        case not_latin_letter:
            return !is_latin_letter(c);
        default:
            return item >= single ? c == static_cast<char32_t>(item - single) : in_class(c, item);
    }
}

bool row_fits(std::u32string_view text, std::size_t start, const ClassRow& row) {
    const auto length = static_cast<std::size_t>(row.length);
    if (text.size() - start < length || (row.at_start && start != 0)) {
        return false;
    }
    for (std::size_t i = 0; i < length; ++i) {
        if (!fits(text[start + i], row.items[i])) {
            return false;
        }
    }
    return true;
}

/// Length of one character's worth of garbled UTF-8 at the start of `text`, 0 for none.
std::size_t garbled_character(std::u32string_view text) {
    for (int first = first_of_2; first <= first_of_4; ++first) {
        const auto length = static_cast<std::size_t>(first - first_of_2) + 2;
        const bool all = text.size() >= length && in_class(text[0], first) &&
                         std::ranges::all_of(text.substr(1, length - 1),
                                             [](char32_t c) { return in_class(c, continuation); });
        if (all) {
            return length;
        }
    }
    return 0;
}

}  // namespace

bool looks_garbled(std::u32string_view text) {
    for (std::size_t start = 0; start < text.size(); ++start) {
        if (std::ranges::any_of(suspicious_rows,
                                [&](const ClassRow& row) { return row_fits(text, start, row); })) {
            return true;
        }
    }
    return false;
}

std::size_t garbled_utf8_length(std::u32string_view text, std::size_t start) {
    if (start > 0 && in_class(text[start - 1], continuation_strict)) {
        return 0;
    }
    std::size_t end = start;
    while (const std::size_t length = garbled_character(text.substr(end))) {
        end += length;
    }
    return end - start;
}

}  // namespace reelyard::text
