#pragma once

#include <string>

namespace reelyard::text {

/// Undoes decodings with the wrong encoding ("sÃ³" -> "só"), as often as one is found: ftfy's
/// fix_encoding with its defaults.
[[nodiscard]] std::u32string fix_encoding(std::u32string text);

/// C1 control characters read as Windows-1252.
[[nodiscard]] std::u32string fix_c1_controls(std::u32string text);

}  // namespace reelyard::text
