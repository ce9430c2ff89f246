#pragma once

namespace reelyard::mpi {

/// Whether this MPI says that it sends and receives memory of a GPU by itself.
[[nodiscard]] bool is_cuda_aware();

}  // namespace reelyard::mpi
