#include "reelyard/nn/instruction_set.hpp"

#include "reelyard/base/error.hpp"

namespace reelyard::nn {

std::string_view to_string(InstructionSet set) {
    switch (set) {
        case InstructionSet::reference:
            return "reference";
        case InstructionSet::baseline:
            return "baseline";
        case InstructionSet::avx2:
            return "avx2";
        case InstructionSet::avx512:
            return "avx512";
    }
    fail(ErrorKind::internal, "instruction set {}: unknown", static_cast<int>(set));
}

std::vector<InstructionSet> available_instruction_sets() {
    std::vector<InstructionSet> sets{InstructionSet::reference, InstructionSet::baseline};
#if REELYARD_X86_KERNELS
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0) {
        sets.push_back(InstructionSet::avx2);
        if (__builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
            __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("avx512dq") != 0) {
            sets.push_back(InstructionSet::avx512);
        }
    }
#endif
    return sets;
}

InstructionSet best_instruction_set() {
    return available_instruction_sets().back();
}

}  // namespace reelyard::nn
