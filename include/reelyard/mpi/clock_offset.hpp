#pragma once

#include <cstdint>
#include <functional>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/mpi/node_layout.hpp"

namespace reelyard::mpi {

/// By how much the clock of this rank's node is ahead of that of the first node, in the clock's
/// unit. The first rank of each node asks rank 0 for the time again and again and believes the
/// quickest answer, which is wrong by half of its round trip at most (Cristian 1989, "Probabilistic
/// clock synchronization", Distributed Computing 3, 146-158). Collective. \param nodes of `ranks`
/// \param clock one for all ranks of a node
[[nodiscard]] std::int64_t clock_offset(const Communicator& ranks,
                                        const NodeLayout& nodes,
                                        const std::function<std::int64_t()>& clock);

}  // namespace reelyard::mpi
