#include "reelyard/mpi/cuda_support.hpp"

#include <mpi.h>
#if __has_include(<mpi-ext.h>)
#include <mpi-ext.h>
#endif

namespace reelyard::mpi {

bool is_cuda_aware() {
// An extension of Open MPI that others have taken over; a macro says whether the function is there.
#ifdef MPIX_CUDA_AWARE_SUPPORT
    return MPIX_Query_cuda_support() == 1;
#else
    return false;
#endif
}

}  // namespace reelyard::mpi
