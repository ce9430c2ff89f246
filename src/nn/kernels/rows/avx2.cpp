#define REELYARD_VECTOR_BYTES 32
#include "kernels/rows/generic.hpp"

namespace reelyard::nn::kernels {

const RowKernels& row_kernels_avx2() {
    static constexpr RowKernels kernels = kernels_named("avx2");
    return kernels;
}

}  // namespace reelyard::nn::kernels
