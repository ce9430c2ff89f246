#include "cleaning/encodings.hpp"

#include <algorithm>
#include <array>

namespace reelyard::text {
namespace {

#include "cleaning/encoding_tables.inc"

constexpr char32_t substitute = 0x1A;
constexpr char32_t replacement = 0xFFFD;

constexpr std::array<char16_t, high_bytes> make_latin_1() {
    std::array<char16_t, high_bytes> points{};
    for (std::size_t i = 0; i < high_bytes; ++i) {
        points[i] = static_cast<char16_t>(0x80 + i);
    }
    return points;
}
constexpr std::array<char16_t, high_bytes> latin_1 = make_latin_1();

constexpr Encoding encodings[] = {
    {.name = "latin-1", .upper_half = latin_1, .sloppy = false, .may_lack_a0 = true},
    {.name = "windows-1252", .upper_half = windows_1252, .sloppy = true, .may_lack_a0 = true},
    {.name = "windows-1251", .upper_half = windows_1251, .sloppy = true, .may_lack_a0 = true},
    {.name = "windows-1250", .upper_half = windows_1250, .sloppy = true, .may_lack_a0 = true},
    {.name = "windows-1253", .upper_half = windows_1253, .sloppy = true, .may_lack_a0 = true},
    {.name = "windows-1254", .upper_half = windows_1254, .sloppy = true, .may_lack_a0 = true},
    {.name = "windows-1257", .upper_half = windows_1257, .sloppy = true, .may_lack_a0 = true},
    {.name = "iso-8859-2", .upper_half = iso_8859_2, .sloppy = false, .may_lack_a0 = true},
    {.name = "macroman", .upper_half = macroman, .sloppy = false, .may_lack_a0 = false},
    {.name = "cp437", .upper_half = cp437, .sloppy = false, .may_lack_a0 = true},
};

/// The byte of one character, or nothing.
std::optional<char> encode_one(char32_t c, const Encoding& encoding) {
    if (encoding.sloppy && c == replacement) {
        return static_cast<char>(substitute);
    }
    if (c < 0x80) {
        return encoding.sloppy && c == substitute ? std::nullopt
                                                  : std::optional(static_cast<char>(c));
    }
    const auto found =
        std::ranges::find_if(encoding.upper_half, [c](char16_t point) { return point == c; });
    if (found == encoding.upper_half.end()) {
        return std::nullopt;
    }
    return static_cast<char>(0x80 + (found - encoding.upper_half.begin()));
}

}  // namespace

std::span<const Encoding> misread_encodings() {
    return encodings;
}

std::optional<std::string> encode(std::u32string_view text, const Encoding& encoding) {
    std::string bytes;
    for (const char32_t c : text) {
        const std::optional<char> byte = encode_one(c, encoding);
        if (!byte) {
            return std::nullopt;
        }
        bytes.push_back(*byte);
    }
    return bytes;
}

char32_t windows_1252_character(char32_t point) {
    return windows_1252[point - 0x80];
}

}  // namespace reelyard::text
