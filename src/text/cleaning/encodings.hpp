#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace reelyard::text {

constexpr std::size_t high_bytes = 128;

/// An encoding of one byte a character whose lower half is ASCII.
struct Encoding {
    std::string_view name;
    std::span<const char16_t, high_bytes> upper_half;
    bool sloppy;       ///< open places mean Latin-1, and byte 1A the replacement character
    bool may_lack_a0;  ///< text in it may have lost its bytes A0 to spaces
};

/// The encodings in which UTF-8 is most often misread, in the order of ftfy; Latin-1 first.
[[nodiscard]] std::span<const Encoding> misread_encodings();

/// The bytes of `text`, or nothing when it has characters that the encoding has not.
[[nodiscard]] std::optional<std::string> encode(std::u32string_view text, const Encoding& encoding);

/// What byte `point` (0x80 to 0x9F) means in Windows-1252; itself where that leaves it open.
[[nodiscard]] char32_t windows_1252_character(char32_t point);

}  // namespace reelyard::text
