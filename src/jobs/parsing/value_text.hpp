#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "reelyard/jobs/generation_settings.hpp"

namespace reelyard::jobs {

// Values from their text. Nothing for a text that is not wholly such a value; no locale.

/// "30", and "30.0" as spreadsheets write it.
[[nodiscard]] std::optional<std::int64_t> parse_integer(std::string_view text);
/// 0 to 2^64 - 1.
[[nodiscard]] std::optional<std::uint64_t> parse_unsigned(std::string_view text);
/// Finite.
[[nodiscard]] std::optional<double> parse_number(std::string_view text);
/// "832x480".
[[nodiscard]] std::optional<PixelSize> parse_size(std::string_view text);

}  // namespace reelyard::jobs
