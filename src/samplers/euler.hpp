#pragma once

#include <memory>

#include "reelyard/samplers/sampler.hpp"

#include "sigma_schedule.hpp"

namespace reelyard::samplers {

/// Euler's method: x_{k+1} = x_k + (sigma_{k+1} - sigma_k) v.
[[nodiscard]] std::unique_ptr<Sampler> make_euler(const ScheduleOptions& options,
                                                  SigmaSchedule kind);

}  // namespace reelyard::samplers
