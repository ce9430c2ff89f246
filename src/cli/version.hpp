#pragma once

#include <string>

namespace reelyard::cli {

/// "0.1.0".
[[nodiscard]] std::string program_version();

/// The program's version, then one line per library: the version it was built with, and the one
/// found now.
[[nodiscard]] std::string version_text();

}  // namespace reelyard::cli
