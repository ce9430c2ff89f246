#pragma once

#include <string>
#include <vector>

#include "reelyard/mpi/session.hpp"

namespace reelyard::cli {

/// `reelyard plan [JOB.ini]`: how a job would be laid out on the hardware that is here or that a
/// file describes, and what its ranks would hold and exchange.
int plan_command(const std::vector<std::string>& arguments, const mpi::Session& session);

}  // namespace reelyard::cli
