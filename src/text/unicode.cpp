#include "unicode.hpp"

#include <cstdlib>
#include <memory>

#include <utf8proc.h>

#include "reelyard/base/error.hpp"

namespace reelyard::text {
namespace {

constexpr char32_t last_code_point = 0x10FFFF;

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

/// Length that the first byte announces, 0 for one that starts nothing.
std::size_t announced_length(unsigned char lead) {
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return 2;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        return 3;
    }
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

char32_t decode_unchecked(std::string_view bytes) {
    constexpr unsigned lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    char32_t point = static_cast<unsigned char>(bytes[0]) & lead_bits[bytes.size()];
    for (const char byte : bytes.substr(1)) {
        point = (point << 6U) | (static_cast<unsigned char>(byte) & 0x3FU);
    }
    return point;
}

utf8proc_category_t category(char32_t point) {
    return utf8proc_category(static_cast<utf8proc_int32_t>(point));
}

bool is_letter(utf8proc_category_t kind) {
    return kind == UTF8PROC_CATEGORY_LU || kind == UTF8PROC_CATEGORY_LL ||
           kind == UTF8PROC_CATEGORY_LT || kind == UTF8PROC_CATEGORY_LM ||
           kind == UTF8PROC_CATEGORY_LO;
}

}  // namespace

std::size_t utf8_length(std::string_view bytes) {
    constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const std::size_t length =
        bytes.empty() ? 0 : announced_length(static_cast<unsigned char>(bytes[0]));
    if (length == 0 || bytes.size() < length) {
        return 0;
    }
    for (const char byte : bytes.substr(1, length - 1)) {
        if (!is_continuation(byte)) {
            return 0;
        }
    }
    const char32_t point = decode_unchecked(bytes.substr(0, length));
    const bool surrogate = point >= 0xD800 && point <= 0xDFFF;
    return point >= smallest[length] && point <= last_code_point && !surrogate ? length : 0;
}

std::optional<std::u32string> decode_utf8(std::string_view bytes) {
    std::u32string text;
    while (!bytes.empty()) {
        const std::size_t length = utf8_length(bytes);
        if (length == 0) {
            return std::nullopt;
        }
        text.push_back(decode_unchecked(bytes.substr(0, length)));
        bytes.remove_prefix(length);
    }
    return text;
}

std::u32string to_utf32(std::string_view text) {
    std::optional<std::u32string> decoded = decode_utf8(text);
    require(decoded.has_value(),
            ErrorKind::input,
            "text of {} bytes: found bytes that are not UTF-8 (expected UTF-8)",
            text.size());
    return *std::move(decoded);
}

void append_utf8(char32_t point, std::string& out) {
    const auto put = [&out](char32_t bits) {
        out.push_back(static_cast<char>(bits));
    };
    if (point < 0x80) {
        put(point);
    } else if (point < 0x800) {
        put(0xC0U | (point >> 6U));
        put(0x80U | (point & 0x3FU));
    } else if (point < 0x10000) {
        put(0xE0U | (point >> 12U));
        put(0x80U | ((point >> 6U) & 0x3FU));
        put(0x80U | (point & 0x3FU));
    } else {
        put(0xF0U | (point >> 18U));
        put(0x80U | ((point >> 12U) & 0x3FU));
        put(0x80U | ((point >> 6U) & 0x3FU));
        put(0x80U | (point & 0x3FU));
    }
}

std::string to_utf8(std::u32string_view text) {
    std::string out;
    for (const char32_t point : text) {
        append_utf8(point, out);
    }
    return out;
}

std::u32string nfc(const std::u32string& text) {
    const std::string bytes = to_utf8(text);
    utf8proc_uint8_t* mapped = nullptr;
    const utf8proc_ssize_t length =
        utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(bytes.data()),
                     static_cast<utf8proc_ssize_t>(bytes.size()),
                     &mapped,
                     static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
    require(length >= 0,
            ErrorKind::resources,
            "normalising a text of {} bytes: {}",
            bytes.size(),
            utf8proc_errmsg(length));
    return to_utf32({reinterpret_cast<const char*>(mapped), static_cast<std::size_t>(length)});
}

bool is_white_space(char32_t point) {
    return (point >= 0x09 && point <= 0x0D) || point == 0x20 || point == 0x85 || point == 0xA0 ||
           point == 0x1680 || (point >= 0x2000 && point <= 0x200A) || point == 0x2028 ||
           point == 0x2029 || point == 0x202F || point == 0x205F || point == 0x3000;
}

bool is_python_space(char32_t point) {
    return is_white_space(point) || (point >= 0x1C && point <= 0x1F);
}

bool is_word_character(char32_t point) {
    const utf8proc_category_t kind = category(point);
    return is_letter(kind) || kind == UTF8PROC_CATEGORY_ND || kind == UTF8PROC_CATEGORY_NL ||
           kind == UTF8PROC_CATEGORY_NO || point == U'_';
}

bool is_part_of_word(char32_t point) {
    const utf8proc_category_t kind = category(point);
    const bool mark = kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_MC ||
                      kind == UTF8PROC_CATEGORY_ME;
    const bool joiner = point == 0x200C || point == 0x200D;
    return is_letter(kind) || mark || kind == UTF8PROC_CATEGORY_ND ||
           kind == UTF8PROC_CATEGORY_NL || kind == UTF8PROC_CATEGORY_PC || joiner;
}

bool is_decimal_digit(char32_t point) {
    return category(point) == UTF8PROC_CATEGORY_ND;
}

std::size_t grapheme_length(std::u32string_view text) {
    utf8proc_int32_t state = 0;
    std::size_t length = 1;
    while (length < text.size() &&
           !utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(text[length - 1]),
                                             static_cast<utf8proc_int32_t>(text[length]),
                                             &state)) {
        ++length;
    }
    return length;
}

}  // namespace reelyard::text
