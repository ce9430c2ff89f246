#pragma once

#include <string>
#include <vector>

#include "reelyard/mpi/session.hpp"

namespace reelyard::cli {

/// `reelyard bench WHAT`: measures one part of a job by itself, on the machine at hand.
int bench_command(const std::vector<std::string>& arguments, const mpi::Session& session);

}  // namespace reelyard::cli
