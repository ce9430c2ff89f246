#pragma once

#include "reelyard/mpi/communicator.hpp"

namespace reelyard::perf {

/// The ranks of this program: one, unless it is started under mpirun.
[[nodiscard]] const mpi::Communicator& benchmark_world();

}  // namespace reelyard::perf
