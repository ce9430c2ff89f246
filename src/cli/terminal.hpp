#pragma once

#include <optional>

namespace reelyard::cli {

/// Columns of the terminal that standard error ends up on; nothing when it ends up elsewhere. Under
/// mpirun standard error is a pipe to mpirun, so that the question goes to mpirun's own.
[[nodiscard]] std::optional<int> terminal_columns();

}  // namespace reelyard::cli
