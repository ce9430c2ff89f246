#include "value_text.hpp"

#include <charconv>
#include <cmath>

namespace reelyard::jobs {
namespace {

template <typename Value>
std::optional<Value> parse_all(std::string_view text) {
    Value value{};
    const auto* end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stopped != end) {
        return std::nullopt;
    }
    return value;
}

std::string_view without_zero_fraction(std::string_view text) {
    const auto dot = text.find('.');
    const bool zero_fraction = dot != std::string_view::npos && dot + 1 < text.size() &&
                               text.find_first_not_of('0', dot + 1) == std::string_view::npos;
    return zero_fraction ? text.substr(0, dot) : text;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
    return parse_all<std::int64_t>(without_zero_fraction(text));
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text) {
    return parse_all<std::uint64_t>(without_zero_fraction(text));
}

std::optional<double> parse_number(std::string_view text) {
    const auto value = parse_all<double>(text);
    return value && std::isfinite(*value) ? value : std::nullopt;
}

std::optional<PixelSize> parse_size(std::string_view text) {
    const auto cross = text.find('x');
    if (cross == std::string_view::npos) {
        return std::nullopt;
    }
    const auto width = parse_all<std::int64_t>(text.substr(0, cross));
    const auto height = parse_all<std::int64_t>(text.substr(cross + 1));
    if (!width || !height || *width <= 0 || *height <= 0) {
        return std::nullopt;
    }
    return PixelSize{.width = *width, .height = *height};
}

}  // namespace reelyard::jobs
