#include "sigma_schedule.hpp"

#include <cmath>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

namespace reelyard::samplers {
namespace {

constexpr double train_steps = 1000.0;
constexpr double karras_rho = 7.0;

/// Noise levels sqrt((1 - a) / a) of the first and the last of 1000 training steps, where a is the
/// running product of 1 - beta.
struct VarianceRange {
    double lowest;
    double highest;
};

VarianceRange variance_preserving_range() {
    const at::Tensor betas = at::linspace(0.0001, 0.02, 1000, at::kFloat);
    const at::Tensor signal = at::cumprod(1.0 - betas, 0);
    const at::Tensor sigmas = ((1.0 - signal) / signal).pow(0.5);
    return {sigmas[0].item<float>(), sigmas[-1].item<float>()};
}

}  // namespace

std::vector<double> linspace(double first, double last, std::int64_t count) {
    std::vector<double> values(static_cast<std::size_t>(count), first);
    if (count < 2) {
        return values;
    }
    const double step = (last - first) / static_cast<double>(count - 1);
    for (std::size_t i = 0; i < values.size(); ++i) {
        values[i] = static_cast<double>(i) * step + first;
    }
    values.back() = last;
    return values;
}

std::vector<double> flow_shifted(std::vector<double> levels, double s) {
    for (double& level : levels) {
        level = s * level / (1.0 + (s - 1.0) * level);
    }
    return levels;
}

std::vector<double> karras_spread(double highest, double lowest, std::int64_t steps) {
    const double from = std::pow(highest, 1.0 / karras_rho);
    const double to = std::pow(lowest, 1.0 / karras_rho);
    std::vector<double> levels = linspace(0.0, 1.0, steps);
    for (double& level : levels) {
        level = std::pow(from + level * (to - from), karras_rho);
    }
    return levels;
}

std::vector<double> variance_preserving_karras(std::int64_t steps) {
    const VarianceRange range = variance_preserving_range();
    std::vector<double> levels = karras_spread(range.highest, range.lowest, steps);
    for (double& level : levels) {
        level = level / (level + 1.0);
    }
    return levels;
}

Schedule make_schedule(const std::vector<double>& levels, TimestepRule rule) {
    Schedule schedule;
    for (const double level : levels) {
        const auto sigma = static_cast<float>(level);
        require(schedule.sigmas.empty() || sigma < schedule.sigmas.back(),
                ErrorKind::usage,
                "noise schedule: levels {} and {} are both {} in float32 (expected falling "
                "levels); take fewer steps or a flow_shift nearer 1",
                schedule.sigmas.size(),
                schedule.sigmas.size() + 1,
                sigma);
        schedule.sigmas.push_back(sigma);
        schedule.timesteps.push_back(rule == TimestepRule::truncated
                                         ? static_cast<float>(std::trunc(train_steps * level))
                                         : sigma * static_cast<float>(train_steps));
    }
    schedule.sigmas.push_back(0.0F);
    return schedule;
}

}  // namespace reelyard::samplers
