#pragma once

#include <string>
#include <vector>

#include "reelyard/mpi/session.hpp"

namespace reelyard::cli {

/// reelyard topology: shows what hardware the ranks are on, or what a file says of it.
int topology_command(const std::vector<std::string>& arguments, const mpi::Session& session);

}  // namespace reelyard::cli
