#include "reelyard/base/crc32.hpp"

#include <isa-l/crc.h>
#include <zlib.h>

#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard {

std::uint32_t crc32(std::span<const std::byte> data, std::uint32_t so_far) {
    return crc32_gzip_refl(
        so_far, reinterpret_cast<const unsigned char*>(data.data()), data.size());
}

std::uint32_t combine_crc32(std::uint32_t first, std::uint32_t second, std::int64_t second_bytes) {
    REELYARD_EXPECT(second_bytes >= 0);
    return static_cast<std::uint32_t>(crc32_combine64(first, second, second_bytes));
}

std::string crc32_digits(std::uint32_t value) {
    return fmt::format("{:08x}", value);
}

}  // namespace reelyard
