#define REELYARD_VECTOR_BYTES 64
#include "kernels/rows/generic.hpp"

namespace reelyard::nn::kernels {

const RowKernels& row_kernels_avx512() {
    static constexpr RowKernels kernels = kernels_named("avx512");
    return kernels;
}

}  // namespace reelyard::nn::kernels
