#pragma once

#include <memory>

#include "reelyard/store/transport/transport.hpp"

namespace reelyard::store {

/// Collective reads of HDF5 through MPI-IO: portable, and the right way on parallel file systems.
[[nodiscard]] std::unique_ptr<Transport> make_collective_transport(const StoreFile& file,
                                                                   const std::string& component,
                                                                   const mpi::Communicator& world);

}  // namespace reelyard::store
