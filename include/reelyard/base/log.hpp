#pragma once

#include <filesystem>
#include <string_view>

#include "reelyard/base/format.hpp"

/// Messages for the user. `info` is a page per job and printed by rank 0 only; `local_*` carries
/// the rank.
namespace reelyard::log {

enum class Level { debug, info, warning, error };

struct Options {
    Level level = Level::info;        ///< what reaches the terminal (standard error)
    std::filesystem::path file = {};  ///< also written here, with time stamps; empty: no file
    int rank = 0;
    int ranks = 1;
};

/// Sets where messages go from here on; before the first call warnings and errors go to standard
/// error.
void configure(const Options& options);

/// Writes `text` as one message of this rank only.
void write(Level level, std::string_view text);

/// Writes `text` on rank 0 and nothing elsewhere.
void write_once(Level level, std::string_view text);

template <typename... Args>
void debug(fmt::format_string<Args...> text, Args&&... args) {
    write_once(Level::debug, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> text, Args&&... args) {
    write_once(Level::info, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> text, Args&&... args) {
    write_once(Level::warning, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void local_warning(fmt::format_string<Args...> text, Args&&... args) {
    write(Level::warning, fmt::format(text, std::forward<Args>(args)...));
}
template <typename... Args>
void local_error(fmt::format_string<Args...> text, Args&&... args) {
    write(Level::error, fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace reelyard::log
