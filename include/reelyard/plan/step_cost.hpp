#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "reelyard/plan/layout_chooser.hpp"

/// What a step of the sampler costs the ranks of a layout, before anything is known of how fast
/// they compute. docs/design/cost_model.md derives the formulas.
namespace reelyard::plan {

/// Steps of a job that are alike.
struct StepKind {
    std::int64_t tokens = 1;
    Guidance guidance = Guidance::on;
    double count = 1.0;
};

/// The mean step of a job.
struct StepCost {
    double multiply_adds = 0.0;   ///< of the rank that computes most
    double received_bytes = 0.0;  ///< by the rank that receives most
    std::map<topology::LinkKind, double> exchange_seconds =
        {};  ///< of ranks that wait for one another, at the speeds of the inventory

    [[nodiscard]] double all_exchange_seconds() const;
};

/// \param site its workload says the compute type \param steps at least one
[[nodiscard]] StepCost cost_of_step(const Site& site,
                                    const std::vector<StepKind>& steps,
                                    const ParallelLayout& layout);

}  // namespace reelyard::plan
