#pragma once

#include <string>
#include <vector>

namespace reelyard::cli {

/// `text` with every "{ranks}" replaced by the number.
[[nodiscard]] std::string with_ranks(const std::string& text, int ranks);

/// A word as the shell reads it back, whatever is in it.
[[nodiscard]] std::string shell_quoted(const std::string& word);

/// Runs a shell command with the environment that this process was started with: what MPI has added
/// since would keep another MPI program from starting. Its output goes where ours goes.
/// \returns its exit code, or 128 and the signal that ended it
/// \throws Error (resources) when it cannot be started
[[nodiscard]] int run_in_shell(const std::string& command);

}  // namespace reelyard::cli
