#pragma once

#include <memory>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/parallel/message_backend.hpp"

namespace reelyard::parallel {

/// Messages over MPI. Tensors on a GPU go through pinned host memory, or directly where MPI says
/// that it takes them. \param group of its own: nobody else may send with its communicator
[[nodiscard]] std::unique_ptr<MessageBackend> make_mpi_backend(mpi::Communicator group);

}  // namespace reelyard::parallel
