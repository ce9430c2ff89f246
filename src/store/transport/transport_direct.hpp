#pragma once

#include <memory>
#include <string>

#include "reelyard/store/transport/transport.hpp"

namespace reelyard::store {

/// Large reads of the file itself, at the place where HDF5 says that the slab lies.
[[nodiscard]] std::unique_ptr<Transport> make_direct_transport(const StoreFile& file,
                                                               const std::string& component,
                                                               const mpi::Communicator& world);

}  // namespace reelyard::store
