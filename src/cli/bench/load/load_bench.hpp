#pragma once

#include <string>
#include <vector>

#include "reelyard/mpi/session.hpp"

namespace reelyard::cli {

/// `reelyard bench load`: what it costs to load the weights of a store, beside a raw read of the
/// same bytes. \param arguments what follows "load"
int run_load_bench(const std::vector<std::string>& arguments, const mpi::Session& session);

}  // namespace reelyard::cli
