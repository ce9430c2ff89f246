#pragma once

#include <string>
#include <vector>

#include "reelyard/mpi/session.hpp"

namespace reelyard::cli {

/// `reelyard run JOB.ini`: makes the videos of a job, as far as they are missing.
int run_command(const std::vector<std::string>& arguments, const mpi::Session& session);

}  // namespace reelyard::cli
