#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "reelyard/jobs/problems.hpp"

namespace reelyard::jobs {

/// Bytes of the UTF-8 character that `text` begins with; 0 when it begins with none (truncated,
/// overlong, surrogate, beyond U+10FFFF) or is empty.
[[nodiscard]] std::size_t utf8_length(std::string_view text);

/// The content of a text file without its byte order mark. \throws Error (input) when it cannot be
/// read or is UTF-16
[[nodiscard]] std::string read_utf8_file(const std::filesystem::path& path);

/// The lines of `text`, which end with LF or CRLF, without their ends.
[[nodiscard]] std::vector<std::string> split_lines(std::string_view text);

/// A problem for each line that is not UTF-8.
[[nodiscard]] std::vector<Problem> encoding_problems(const std::filesystem::path& file,
                                                     const std::vector<std::string>& lines);

/// `text` without blanks at its ends.
[[nodiscard]] std::string_view trimmed(std::string_view text);

/// `text` with its ASCII letters in lower case.
[[nodiscard]] std::string lower_case(std::string text);

}  // namespace reelyard::jobs
