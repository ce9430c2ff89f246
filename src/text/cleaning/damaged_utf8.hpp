#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reelyard::text {

/// Bytes A0 put back where a space stands in a sequence that is UTF-8 with it.
[[nodiscard]] std::string restore_byte_a0(std::string_view bytes);

/// Sequences of UTF-8 of which some bytes became 1A or '?' replaced by U+FFFD.
[[nodiscard]] std::string replace_lossy_sequences(std::string_view bytes);

/// UTF-8, and two forms near it: surrogates as three bytes each (CESU-8), and C0 80 for U+0000.
[[nodiscard]] std::optional<std::u32string> decode_utf8_variants(std::string_view bytes);

}  // namespace reelyard::text
