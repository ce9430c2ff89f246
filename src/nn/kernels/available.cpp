#include "kernels/available.hpp"

#if REELYARD_X86_KERNELS
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include <algorithm>

#include "reelyard/nn/instruction_set.hpp"

namespace reelyard::nn::kernels {
namespace {

#if REELYARD_X86_KERNELS

bool has(InstructionSet set) {
    const auto sets = available_instruction_sets();
    return std::find(sets.begin(), sets.end(), set) != sets.end();
}

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

#endif

}  // namespace

std::vector<const RowKernels*> available_row_kernels() {
    std::vector<const RowKernels*> all{&row_kernels_baseline()};
#if REELYARD_X86_KERNELS
    if (has(InstructionSet::avx2)) {
        all.push_back(&row_kernels_avx2());
    }
    if (has(InstructionSet::avx512)) {
        all.push_back(&row_kernels_avx512());
    }
#endif
    return all;
}

std::vector<const Products*> available_products() {
    std::vector<const Products*> all{&products_baseline()};
#if REELYARD_X86_KERNELS
    if (has(InstructionSet::avx2)) {
        all.push_back(&products_avx2());
    }
    if (has(InstructionSet::avx512)) {
        all.push_back(&products_avx512());
        if (may_use_amx()) {
            all.push_back(&products_amx());
        }
    }
#endif
    return all;
}

const RowKernels& row_kernels() {
    static const RowKernels& best = *available_row_kernels().back();
    return best;
}

const Products& products_for(bool is_bfloat16) {
    static const std::vector<const Products*> all = available_products();
    if (is_bfloat16) {
        return *all.back();
    }
    return **std::find_if(
        all.rbegin(), all.rend(), [](const Products* products) { return !products->is_bfloat16; });
}

}  // namespace reelyard::nn::kernels
