#pragma once

#include "reelyard/mpi/communicator.hpp"

namespace reelyard::cli {

/// Sets how many threads this rank computes with: OMP_NUM_THREADS where it is set, otherwise its
/// share of the cores that the ranks of its node may run on. Collective. \returns the number
int set_compute_threads(const mpi::Communicator& world);

}  // namespace reelyard::cli
