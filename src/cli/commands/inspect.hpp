#pragma once

#include <string>
#include <vector>

#include "reelyard/mpi/session.hpp"

namespace reelyard::cli {

/// `reelyard inspect model.h5`: shows what a weight store holds, and verifies it on request.
int inspect_command(const std::vector<std::string>& arguments, const mpi::Session& session);

}  // namespace reelyard::cli
