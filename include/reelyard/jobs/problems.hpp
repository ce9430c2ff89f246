#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reelyard::jobs {

/// Where the user wrote something.
struct Place {
    std::string file;       ///< as the user named it, or "command line"
    std::int64_t line = 0;  ///< counted from 1; 0: no line in particular

    friend auto operator<=>(const Place&, const Place&) = default;
};

/// The file of a Place for what is on the command line.
inline constexpr std::string_view command_line = "command line";

/// "file:line" or "file".
[[nodiscard]] std::string to_string(const Place& place);

/// Something wrong with what the user gave.
struct Problem {
    Place place;
    std::string text;  ///< what was found (what was expected)[; what to do]
};

/// Does nothing when there are no problems. Otherwise reports all of them at once, file by file, by
/// line; beyond 50 only how many more there are. \throws Error (usage when all are on the command
/// line, input otherwise)
void throw_problems(std::vector<Problem> problems);

/// `text` in quotation marks as it can be shown in a message: one line, not long, valid UTF-8.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace reelyard::jobs
