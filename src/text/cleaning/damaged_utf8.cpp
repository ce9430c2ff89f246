#include "cleaning/damaged_utf8.hpp"

#include <algorithm>
#include <span>

#include "unicode.hpp"

namespace reelyard::text {
namespace {

constexpr bool between(unsigned byte, unsigned first, unsigned last) {
    return byte >= first && byte <= last;
}

/// The letters of the patterns below, each a set of bytes.
bool in_set(char set, char character) {
    const unsigned byte = static_cast<unsigned char>(character);
    const bool lost = byte == 0x1A;
    const bool asked = lost || byte == '?';
    const bool follows = between(byte, 0x80, 0xBF);
    switch (set) {
        case 'a':  // leads whose character with A0 is common
            return byte == 0xC2 || byte == 0xC3 || byte == 0xC5 || byte == 0xCE || byte == 0xD0 ||
                   byte == 0xD9;
        case '_':
            return byte == ' ';
        case 'e':
            return byte == 0xE2 || byte == 0xE3;
        case 'E':
            return between(byte, 0xE0, 0xE3);
        case 'k':  // continuations, but for A0 itself and 85, a line break
            return follows && byte != 0x85 && byte != 0xA0;
        case 'K':
            return follows;
        case 'f':
            return byte == 0xF0;
        case '!':
            return lost;
        case 'q':
            return byte == '?';
        case 'n':
            return byte == '\n';
        case '?':
            return asked;
        case 'c':
            return lost || follows;
        case '*':
            return asked || follows;
        case 'L':
            return between(byte, 0xC2, 0xDF);
        case 'l':
            return byte == 0xC2 || byte == 0xC3;
        case 'D':
            return byte == 0xED;
        case 'h':
            return between(byte, 0xA0, 0xAF);
        case 'H':
            return between(byte, 0xB0, 0xBF);
        case 'T':
            return between(byte, 0xE0, 0xEF);
        default:
            return set == 'F' && between(byte, 0xF0, 0xF4);
    }
}

constexpr std::string_view spaced_patterns[] = {"a_", "e_k", "Ek_", "f_KK", "fK_K", "fKK_"};
constexpr std::string_view lossy_patterns[] = {
    "L!", "lq", "Dh?DH*", "Dh*DH?", "T?c", "Tc?", "F?cc", "Fc?c", "Fcc?", "!"};

bool fits(std::string_view bytes, std::string_view pattern) {
    if (bytes.size() < pattern.size()) {
        return false;
    }
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        if (!in_set(pattern[i], bytes[i])) {
            return false;
        }
    }
    return true;
}

/// Length of the first pattern that fits at the start of `bytes`, 0 for none.
std::size_t matched(std::string_view bytes, std::span<const std::string_view> patterns) {
    const auto found = std::ranges::find_if(
        patterns, [bytes](std::string_view pattern) { return fits(bytes, pattern); });
    return found == patterns.end() ? 0 : found->size();
}

/// `bytes` with every match of the patterns replaced.
template <typename Replace>
std::string substitute(std::string_view bytes,
                       std::span<const std::string_view> patterns,
                       Replace replacement) {
    std::string out;
    while (!bytes.empty()) {
        const std::size_t length = matched(bytes, patterns);
        if (length > 0) {
            out += replacement(bytes.substr(0, length));
        } else {
            out.push_back(bytes.front());
        }
        bytes.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

/// "Ã " is nearly always the word "à"; its A0 is put back and the space kept, except before the
/// ends of some Portuguese words.
std::string restore_a_grave(std::string_view bytes) {
    constexpr std::string_view a_tilde_space = "\xC3 ";
    constexpr std::string_view exceptions[] = {" ", "quele", "quela", "quilo", "s "};
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const std::string_view after = bytes.substr(std::min(i + 2, bytes.size()));
        const bool excepted = std::ranges::any_of(
            exceptions, [after](std::string_view word) { return after.starts_with(word); });
        out.push_back(bytes[i]);
        if (bytes.substr(i).starts_with(a_tilde_space) && !excepted) {
            out.push_back('\xA0');
        }
    }
    return out;
}

unsigned low_bits(char byte, unsigned mask) {
    return static_cast<unsigned char>(byte) & mask;
}

}  // namespace

std::string restore_byte_a0(std::string_view bytes) {
    return substitute(restore_a_grave(bytes), spaced_patterns, [](std::string_view match) {
        std::string fixed(match);
        std::ranges::replace(fixed, ' ', '\xA0');
        return fixed;
    });
}

std::string replace_lossy_sequences(std::string_view bytes) {
    return substitute(bytes, lossy_patterns, [](std::string_view) { return "\xEF\xBF\xBD"; });
}

// ftfy takes a line break that ends the text for the last byte of either variant; so does this.
std::optional<std::u32string> decode_utf8_variants(std::string_view bytes) {
    std::u32string text;
    while (!bytes.empty()) {
        std::size_t length = utf8_length(bytes);
        if (length > 0) {
            text += *decode_utf8(bytes.substr(0, length));
        } else if (bytes.starts_with("\xC0\x80") || bytes == "\xC0\n") {
            text.push_back(0);
            length = 2;
        } else if (fits(bytes, "DhKDHK") || (bytes.size() == 6 && fits(bytes, "DhKDHn"))) {
            text.push_back(0x10000U + (low_bits(bytes[1], 0x0F) << 16U) +
                           (low_bits(bytes[2], 0x3F) << 10U) + (low_bits(bytes[4], 0x0F) << 6U) +
                           low_bits(bytes[5], 0x3F));
            length = 6;
        } else {
            return std::nullopt;
        }
        bytes.remove_prefix(length);
    }
    return text;
}

}  // namespace reelyard::text
