#pragma once

#include <string>
#include <vector>

#include "reelyard/mpi/session.hpp"

namespace reelyard::cli {

/// `reelyard bench comm`: what the operations of a group cost.
int run_comm_bench(const std::vector<std::string>& arguments, const mpi::Session& session);

}  // namespace reelyard::cli
