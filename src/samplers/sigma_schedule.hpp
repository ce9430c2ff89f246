#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "reelyard/samplers/sampler.hpp"

namespace reelyard::samplers {

/// How noise levels are spread. Where a table of the same name differs between samplers, it is
/// because it does so in the code that is followed.
enum class SigmaSchedule { official, diffusers, karras };

/// What the model is told as time.
enum class TimestepRule {
    truncated,  ///< 1000 sigma without its fraction, from the sigma in double precision
    exact,      ///< 1000 sigma in float32
};

/// `count` values from `first` to `last`, both included, with the rounding of numpy.linspace.
[[nodiscard]] std::vector<double> linspace(double first, double last, std::int64_t count);

/// s u / (1 + (s - 1) u) for each u: how a flow shift `s` moves steps towards noise.
[[nodiscard]] std::vector<double> flow_shifted(std::vector<double> levels, double s);

/// `steps` falling noise levels as Karras et al. (2022), equation 5, spread them with rho = 7.
[[nodiscard]] std::vector<double> karras_spread(double highest, double lowest, std::int64_t steps);

/// Karras levels of the variance-preserving noise that diffusers' multistep samplers are configured
/// with (linear betas from 0.0001 to 0.02), seen as flow levels: sigma / (1 + sigma). It knows no
/// flow shift.
[[nodiscard]] std::vector<double> variance_preserving_karras(std::int64_t steps);

/// Rounds `levels` (N) to float32, appends 0 and adds the times.
/// \throws Error (usage) when two neighbours are equal in float32
[[nodiscard]] Schedule make_schedule(const std::vector<double>& levels, TimestepRule rule);

}  // namespace reelyard::samplers
