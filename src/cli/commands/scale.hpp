#pragma once

#include <string>
#include <vector>

#include "reelyard/mpi/session.hpp"

namespace reelyard::cli {

/// `reelyard scale`: one job on different numbers of ranks, compared.
int scale_command(const std::vector<std::string>& arguments, const mpi::Session& session);

}  // namespace reelyard::cli
