#pragma once

#include <string>
#include <vector>

#include "reelyard/mpi/session.hpp"

namespace reelyard::cli {

/// `reelyard stage model.h5`: copies a weight store to every node, once per job.
int stage_command(const std::vector<std::string>& arguments, const mpi::Session& session);

}  // namespace reelyard::cli
