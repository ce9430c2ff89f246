#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace reelyard::cli {

/// "4GiB", "1.5 MiB", "65536": a number of bytes with a binary unit or none. Nothing for anything
/// else, and for what is no positive whole number of bytes below 2^53.
[[nodiscard]] std::optional<std::int64_t> bytes_from_string(std::string_view text);

}  // namespace reelyard::cli
