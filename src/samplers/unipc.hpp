#pragma once

#include <memory>

#include "reelyard/samplers/sampler.hpp"

#include "sigma_schedule.hpp"

namespace reelyard::samplers {

/// UniPC (Zhao et al. 2023, arXiv:2302.04867) of order 2 on the estimate of the clean sample, with
/// B(h) = e^h - 1, a corrector after every step but the first, and order 1 in the first and the
/// last step.
[[nodiscard]] std::unique_ptr<Sampler> make_unipc(const ScheduleOptions& options,
                                                  SigmaSchedule kind);

}  // namespace reelyard::samplers
