#include "euler.hpp"

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

namespace reelyard::samplers {
namespace {

/// diffusers' FlowMatchEulerDiscreteScheduler shifts twice: its range of levels, in float32, and
/// then each level between the ends.
std::vector<double> diffusers_levels(const ScheduleOptions& options) {
    const auto shift = static_cast<float>(options.flow_shift);
    const auto less_one = static_cast<float>(options.flow_shift - 1.0);
    const auto shifted_end = [&](float level) {
        return static_cast<double>(shift * level / (1.0F + less_one * level));
    };
    std::vector<double> levels =
        linspace(shifted_end(1.0F) * 1000.0, shifted_end(1.0F / 1000.0F) * 1000.0, options.steps);
    for (double& level : levels) {
        level /= 1000.0;
    }
    return flow_shifted(std::move(levels), options.flow_shift);
}

Schedule euler_schedule(const ScheduleOptions& options, SigmaSchedule kind) {
    switch (kind) {
        case SigmaSchedule::official: {
            std::vector<double> levels = linspace(1.0, 0.0, options.steps + 1);
            levels.pop_back();
            return make_schedule(flow_shifted(std::move(levels), options.flow_shift),
                                 TimestepRule::exact);
        }
        case SigmaSchedule::diffusers:
            return make_schedule(diffusers_levels(options), TimestepRule::exact);
        case SigmaSchedule::karras: {
            const std::vector<double> range = diffusers_levels(options);
            return make_schedule(karras_spread(range.front(), range.back(), options.steps),
                                 TimestepRule::exact);
        }
    }
    fail(ErrorKind::internal, "noise schedule: unknown kind {}", static_cast<int>(kind));
}

class Euler final : public Sampler {
public:
    explicit Euler(Schedule schedule) : schedule_(std::move(schedule)) {}

    [[nodiscard]] const Schedule& schedule() const override { return schedule_; }

    at::Tensor step(std::int64_t k, const at::Tensor& velocity, const at::Tensor& sample) override {
        const auto i = static_cast<std::size_t>(k);
        REELYARD_EXPECT(i < schedule_.timesteps.size());
        return sample + velocity * (schedule_.sigmas[i + 1] - schedule_.sigmas[i]);
    }

private:
    Schedule schedule_;
};

}  // namespace

std::unique_ptr<Sampler> make_euler(const ScheduleOptions& options, SigmaSchedule kind) {
    return std::make_unique<Euler>(euler_schedule(options, kind));
}

}  // namespace reelyard::samplers
