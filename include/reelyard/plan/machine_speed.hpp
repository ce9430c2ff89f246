#pragma once

#include <set>
#include <vector>

#include "reelyard/plan/step_cost.hpp"

namespace reelyard::plan {

/// What a mean step took, and what it was.
struct MeasuredStep {
    StepCost cost;
    double seconds = 0.0;  ///< above 0
};

/// How fast ranks compute, and what exchange takes beside what the speeds of links say.
struct MachineSpeed {
    double multiply_add_seconds = 0.0;
    double exchange_factor = 1.0;
    std::set<topology::LinkKind> measured_links = {};  ///< those that the factor is for

    [[nodiscard]] double step_seconds(const StepCost& cost) const;
};

/// The speed with which the steps come out as measured, by least squares of relative errors. Where
/// no two of them differ in how much they exchange, the speeds of links are taken as they are.
/// \param steps at least one \throws Error (input) when no speed explains them
[[nodiscard]] MachineSpeed fit_speed(const std::vector<MeasuredStep>& steps);

}  // namespace reelyard::plan
