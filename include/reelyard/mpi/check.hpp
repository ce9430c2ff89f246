#pragma once

#include <source_location>

namespace reelyard::mpi {

/// \param code what an MPI call returned
/// \param call its name, e.g. "MPI_Bcast"
/// \throws Error (communication) with MPI's own words unless the call succeeded
void check(int code,
           const char* call,
           std::source_location where = std::source_location::current());

}  // namespace reelyard::mpi
