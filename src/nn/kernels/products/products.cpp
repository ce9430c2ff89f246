#include "kernels/products/products.hpp"

#if REELYARD_X86_KERNELS
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace reelyard::nn::kernels {
namespace {

#if REELYARD_X86_KERNELS

/// Whether the processor has the matrix unit and the system lets this process use it.
bool may_use_amx() {
    constexpr unsigned bfloat16_bit = 1U << 22U;
    constexpr unsigned tile_bit = 1U << 24U;
    constexpr long request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
    constexpr long tile_data = 18;
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) {
        return false;
    }
    return (d & bfloat16_bit) != 0 && (d & tile_bit) != 0 &&
           syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

const Products& best_float32() {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")) {
        return products_avx512();
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        return products_avx2();
    }
    return products_baseline();
}

const Products& best_bfloat16() {
    return may_use_amx() && &best_float32() == &products_avx512() ? products_amx() : best_float32();
}

#else

const Products& best_float32() {
    return products_baseline();
}

const Products& best_bfloat16() {
    return products_baseline();
}

#endif

}  // namespace

const Products& products_for(bool is_bfloat16) {
    static const Products& float32 = best_float32();
    static const Products& bfloat16 = best_bfloat16();
    return is_bfloat16 ? bfloat16 : float32;
}

}  // namespace reelyard::nn::kernels
