#include "core_list.hpp"

#include <charconv>
#include <string_view>
#include <utility>

#include "reelyard/base/format.hpp"

namespace reelyard::topology {
namespace {

constexpr int most_cores = 1 << 20;

std::optional<int> number_in(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool good = error == std::errc{} && end == text.data() + text.size() && value >= 0 &&
                      value < most_cores;
    return good ? std::optional(value) : std::nullopt;
}

/// First and last of "3" or "3-7".
std::optional<std::pair<int, int>> range_in(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = number_in(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number_in(text.substr(dash + 1));
    if (!first || !last || *last < *first) {
        return std::nullopt;
    }
    return std::pair(*first, *last);
}

}  // namespace

std::string core_list_text(const std::vector<int>& cores) {
    std::vector<std::string> ranges;
    for (std::size_t start = 0; start < cores.size();) {
        std::size_t end = start + 1;
        while (end < cores.size() && cores[end] == cores[end - 1] + 1) {
            ++end;
        }
        ranges.push_back(end == start + 1 ? fmt::format("{}", cores[start])
                                          : fmt::format("{}-{}", cores[start], cores[end - 1]));
        start = end;
    }
    return fmt::format("{}", fmt::join(ranges, ","));
}

std::optional<std::vector<int>> parse_core_list(const std::string& text) {
    std::vector<int> cores;
    for (std::size_t start = 0; start < text.size();) {
        const std::size_t comma = std::min(text.find(',', start), text.size());
        const auto range = range_in(std::string_view(text).substr(start, comma - start));
        const bool ends_with_comma = comma + 1 == text.size();
        if (!range || ends_with_comma || (!cores.empty() && range->first <= cores.back())) {
            return std::nullopt;
        }
        for (int core = range->first; core <= range->second; ++core) {
            cores.push_back(core);
        }
        start = comma + 1;
    }
    return cores;
}

}  // namespace reelyard::topology
