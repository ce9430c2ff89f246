#pragma once

#include <memory>

#include "reelyard/samplers/sampler.hpp"

#include "sigma_schedule.hpp"

namespace reelyard::samplers {

/// DPM-Solver++ 2M (Lu et al. 2022, arXiv:2211.01095, algorithm 2) with the midpoint rule, and
/// order 1 in the first and the last step.
[[nodiscard]] std::unique_ptr<Sampler> make_dpmpp(const ScheduleOptions& options,
                                                  SigmaSchedule kind);

}  // namespace reelyard::samplers
