#define REELYARD_VECTOR_BYTES 16
#include "kernels/rows/generic.hpp"

namespace reelyard::nn::kernels {

const RowKernels& row_kernels_baseline() {
    static constexpr RowKernels kernels = kernels_named("baseline");
    return kernels;
}

}  // namespace reelyard::nn::kernels
