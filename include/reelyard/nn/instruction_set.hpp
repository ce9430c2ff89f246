#pragma once

#include <string_view>
#include <vector>

namespace reelyard::nn {

/// Which code does the work of a layer on channels-last frames.
enum class InstructionSet {
    reference,  ///< ATen operators, any device: the oracle of all others
    baseline,   ///< what every processor of the architecture has
    avx2,
    avx512,
};

/// "reference", "baseline", "avx2", "avx512".
[[nodiscard]] std::string_view to_string(InstructionSet set);

/// What this processor can run, `reference` first and the fastest last.
[[nodiscard]] std::vector<InstructionSet> available_instruction_sets();

/// The fastest of available_instruction_sets().
[[nodiscard]] InstructionSet best_instruction_set();

}  // namespace reelyard::nn
