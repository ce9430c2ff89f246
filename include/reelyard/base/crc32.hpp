#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace reelyard {

/// CRC-32 as in gzip and zlib (RFC 1952). Unlike XXH3, the value of a whole follows from the values
/// of its parts, so that several can check what each of them read a piece of.
/// \param so_far the value of what lies before `data`
[[nodiscard]] std::uint32_t crc32(std::span<const std::byte> data, std::uint32_t so_far = 0);

/// The CRC-32 of two runs of bytes, one behind the other, from the values of the two.
/// \param second_bytes length of the second run
[[nodiscard]] std::uint32_t combine_crc32(std::uint32_t first,
                                          std::uint32_t second,
                                          std::int64_t second_bytes);

/// 8 lower-case hexadecimal digits.
[[nodiscard]] std::string crc32_digits(std::uint32_t value);

}  // namespace reelyard
