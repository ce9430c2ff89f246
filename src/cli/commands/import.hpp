#pragma once

#include <string>
#include <vector>

#include "reelyard/mpi/session.hpp"

namespace reelyard::cli {

/// `reelyard import DIR -o model.h5`: turns a checkpoint folder into a weight store.
int import_command(const std::vector<std::string>& arguments, const mpi::Session& session);

}  // namespace reelyard::cli
