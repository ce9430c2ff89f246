#pragma once

#include <cstddef>
#include <string_view>

namespace reelyard::text {

/// Whether some characters stand together that hardly ever do unless a text was decoded with the
/// wrong encoding: the heuristic of ftfy 6.3.1.
[[nodiscard]] bool looks_garbled(std::u32string_view text);

/// How many characters from `start` on look like UTF-8 that was read as a single-byte encoding; 0
/// when they do not, or when the character before belongs to such a sequence.
[[nodiscard]] std::size_t garbled_utf8_length(std::u32string_view text, std::size_t start);

}  // namespace reelyard::text
