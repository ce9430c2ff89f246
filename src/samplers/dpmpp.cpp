#include "dpmpp.hpp"

#include <algorithm>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

#include "float32_math.hpp"

namespace reelyard::samplers {
namespace {

/// The table of diffusers' flow levels, which counts from the clean end.
std::vector<double> diffusers_levels(const ScheduleOptions& options) {
    std::vector<double> levels = linspace(1.0, 1.0 / 1000.0, options.steps + 1);
    for (double& level : levels) {
        level = 1.0 - level;
    }
    levels = flow_shifted(std::move(levels), options.flow_shift);
    std::reverse(levels.begin(), levels.end());
    levels.pop_back();
    return levels;
}

Schedule dpmpp_schedule(const ScheduleOptions& options, SigmaSchedule kind) {
    switch (kind) {
        case SigmaSchedule::official: {
            std::vector<double> levels = linspace(1.0, 0.0, options.steps + 1);
            levels.pop_back();
            return make_schedule(flow_shifted(std::move(levels), options.flow_shift),
                                 TimestepRule::truncated);
        }
        case SigmaSchedule::diffusers:
            return make_schedule(diffusers_levels(options), TimestepRule::truncated);
        case SigmaSchedule::karras:
            return make_schedule(variance_preserving_karras(options.steps),
                                 TimestepRule::truncated);
    }
    fail(ErrorKind::internal, "noise schedule: unknown kind {}", static_cast<int>(kind));
}

class DpmPlusPlus final : public Sampler {
public:
    explicit DpmPlusPlus(Schedule schedule) : schedule_(std::move(schedule)) {}

    [[nodiscard]] const Schedule& schedule() const override { return schedule_; }

    at::Tensor step(std::int64_t k, const at::Tensor& velocity, const at::Tensor& sample) override {
        const auto steps = static_cast<std::int64_t>(schedule_.timesteps.size());
        REELYARD_EXPECT(k == next_ && k < steps);
        const at::Tensor clean = sample - velocity * sigma(k);

        // At sigma = 1 lambda is -infinity: then h is infinite and e^-h is 0, and in the step after
        // it 1 / r is 0.
        const float from = half_log_snr(sigma(k));
        const float h = half_log_snr(sigma(k + 1)) - from;
        const float gain = (1.0F - sigma(k + 1)) * (exp32(-h) - 1.0F);
        at::Tensor next = sample * (sigma(k + 1) / sigma(k)) - clean * gain;
        if (k > 0 && k + 1 < steps) {
            const float r = (from - half_log_snr(sigma(k - 1))) / h;
            next = next - (clean - previous_) * (1.0F / r) * (0.5F * gain);
        }
        previous_ = clean;
        next_ = k + 1;
        return next;
    }

private:
    [[nodiscard]] float sigma(std::int64_t k) const {
        return schedule_.sigmas[static_cast<std::size_t>(k)];
    }

    Schedule schedule_;
    std::int64_t next_ = 0;
    at::Tensor previous_;  ///< [..] float32, the estimate of the clean sample one step before
};

}  // namespace

std::unique_ptr<Sampler> make_dpmpp(const ScheduleOptions& options, SigmaSchedule kind) {
    return std::make_unique<DpmPlusPlus>(dpmpp_schedule(options, kind));
}

}  // namespace reelyard::samplers
