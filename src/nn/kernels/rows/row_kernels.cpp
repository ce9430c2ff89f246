#include "kernels/rows/row_kernels.hpp"

namespace reelyard::nn::kernels {

const RowKernels& row_kernels() {
#if REELYARD_X86_KERNELS
    static const RowKernels& best = []() -> const RowKernels& {
        __builtin_cpu_init();
        if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
            return row_kernels_avx512();
        }
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
            return row_kernels_avx2();
        }
        return row_kernels_baseline();
    }();
    return best;
#else
    return row_kernels_baseline();
#endif
}

}  // namespace reelyard::nn::kernels
