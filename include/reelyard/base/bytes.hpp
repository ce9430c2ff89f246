#pragma once

#include <cstdint>
#include <string>

namespace reelyard {

inline constexpr std::int64_t kibibyte = 1024;
inline constexpr std::int64_t mebibyte = 1024 * kibibyte;
inline constexpr std::int64_t gibibyte = 1024 * mebibyte;

/// "512 B", "9.2 MiB", "1.5 GiB": binary units, two significant digits or more.
[[nodiscard]] std::string format_bytes(std::int64_t bytes);

/// `value` rounded up to the next multiple of `alignment` (> 0).
[[nodiscard]] constexpr std::int64_t align_up(std::int64_t value, std::int64_t alignment) {
    return (value + alignment - 1) / alignment * alignment;
}

}  // namespace reelyard
