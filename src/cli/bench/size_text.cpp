#include "size_text.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "reelyard/base/bytes.hpp"

namespace reelyard::cli {

std::optional<std::int64_t> bytes_from_string(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, std::int64_t>, 6> units{{
        {"", 1},
        {"B", 1},
        {"KiB", kibibyte},
        {"MiB", mebibyte},
        {"GiB", gibibyte},
        {"TiB", 1024 * gibibyte},
    }};
    double number = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || !std::isfinite(number)) {
        return std::nullopt;
    }
    std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
    unit.remove_prefix(unit.starts_with(' ') ? 1 : 0);
    for (const auto& [name, factor] : units) {
        const double bytes = number * static_cast<double>(factor);
        constexpr double most = 9007199254740992.0;  // 2^53: whole numbers are exact below
        if (unit == name && bytes >= 1.0 && bytes < most && bytes == std::floor(bytes)) {
            return static_cast<std::int64_t>(bytes);
        }
    }
    return std::nullopt;
}

}  // namespace reelyard::cli
