#pragma once

#include <optional>
#include <vector>

#include "reelyard/base/error.hpp"
#include "reelyard/dispatch/run_loop.hpp"
#include "reelyard/mpi/communicator.hpp"

namespace reelyard::dispatch {

/// Any rank but 0: asks the leader for tasks until the run is over. \returns what the runner threw,
/// if it did \throws Error (communication)
[[nodiscard]] std::optional<Error> work_for_leader(const mpi::Communicator& comm,
                                                   const std::vector<Task>& tasks,
                                                   const HalfRunners& run,
                                                   Post post,
                                                   const StopQuestion& stop);

}  // namespace reelyard::dispatch
