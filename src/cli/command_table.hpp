#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reelyard/mpi/session.hpp"

namespace reelyard::cli {

/// One subcommand.
struct Command {
    std::string_view name;
    std::string_view summary;  ///< one line for `reelyard --help`
    /// \param arguments what follows the command's name
    /// \returns the exit code
    int (*run)(const std::vector<std::string>& arguments, const mpi::Session& session);
};

/// All subcommands, in the order of `reelyard --help`.
[[nodiscard]] std::span<const Command> command_table();

/// \throws Error (usage) naming the nearest command when there is none of that name
[[nodiscard]] const Command& find_command(std::string_view name);

/// The text of `reelyard --help`.
[[nodiscard]] std::string program_help();

}  // namespace reelyard::cli
