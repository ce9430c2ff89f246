#include "reelyard/jobs/problems.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "reelyard/base/error.hpp"

#include "parsing/text_lines.hpp"

namespace reelyard::jobs {
namespace {

constexpr std::size_t most_shown = 50;
constexpr std::size_t most_quoted_bytes = 60;

void sort_by_place(std::vector<Problem>& problems) {
    std::map<std::string, std::size_t> order;
    for (const auto& problem : problems) {
        order.emplace(problem.place.file, order.size());
    }
    std::stable_sort(problems.begin(), problems.end(), [&](const Problem& a, const Problem& b) {
        return std::tuple(order.at(a.place.file), a.place.line) <
               std::tuple(order.at(b.place.file), b.place.line);
    });
}

}  // namespace

std::string to_string(const Place& place) {
    return place.line > 0 ? fmt::format("{}:{}", place.file, place.line) : place.file;
}

void throw_problems(std::vector<Problem> problems) {
    if (problems.empty()) {
        return;
    }
    sort_by_place(problems);
    const bool only_options = std::all_of(problems.begin(), problems.end(), [](const auto& each) {
        return each.place.file == command_line;
    });
    const auto kind = only_options ? ErrorKind::usage : ErrorKind::input;
    if (problems.size() == 1) {
        fail(kind, "{}: {}", to_string(problems.front().place), problems.front().text);
    }
    std::string message = fmt::format("{} problems:", problems.size());
    const auto shown = std::min(problems.size(), most_shown);
    for (std::size_t i = 0; i < shown; ++i) {
        message += fmt::format("\n  {}: {}", to_string(problems[i].place), problems[i].text);
    }
    if (problems.size() > shown) {
        message += fmt::format("\n  and {} more", problems.size() - shown);
    }
    fail(kind, "{}", message);
}

std::string in_quotes(std::string_view text) {
    std::string shown;
    for (std::size_t i = 0; i < text.size();) {
        const auto length = utf8_length(text.substr(i));
        if (shown.size() + std::max<std::size_t>(length, 1) > most_quoted_bytes) {
            return fmt::format("'{}...'", shown);
        }
        const auto byte = static_cast<unsigned char>(text[i]);
        const bool printable = length > 0 && byte >= 0x20 && byte != 0x7f;
        shown += printable ? std::string(text.substr(i, length)) : fmt::format("\\x{:02x}", byte);
        i += std::max<std::size_t>(length, 1);
    }
    return fmt::format("'{}'", shown);
}

}  // namespace reelyard::jobs
