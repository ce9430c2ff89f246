#include "reelyard/base/bytes.hpp"

#include <array>
#include <string_view>

#include "reelyard/base/format.hpp"

namespace reelyard {

std::string format_bytes(std::int64_t bytes) {
    constexpr std::array<std::string_view, 5> units{"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < kibibyte) {
        return fmt::format("{} B", bytes);
    }
    double value = static_cast<double>(bytes) / static_cast<double>(kibibyte);
    std::size_t unit = 0;
    while (value >= 1000.0 && unit + 1 < units.size()) {
        value /= static_cast<double>(kibibyte);
        ++unit;
    }
    return fmt::format("{:.{}f} {}", value, value < 10.0 ? 2 : 1, units.at(unit));
}

}  // namespace reelyard
