#include "unipc.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>
#include <Eigen/Dense>

#include "reelyard/base/error.hpp"

#include "float32_math.hpp"

namespace reelyard::samplers {
namespace {

constexpr std::int64_t solver_order = 2;

/// The highest of the 1000 training levels, rounded to float32 as the original program holds it.
constexpr double official_highest = static_cast<float>(1.0 - 1.0 / 1000.0);

std::vector<double> without_last(std::vector<double> values) {
    values.pop_back();
    return values;
}

std::vector<double> diffusers_levels(const ScheduleOptions& options) {
    constexpr double nudge = 1e-6;
    std::vector<double> levels = flow_shifted(
        without_last(linspace(1.0, 1.0 / 1000.0, options.steps + 1)), options.flow_shift);
    if (std::abs(levels.front() - 1.0) < nudge) {
        levels.front() -= nudge;
    }
    return levels;
}

Schedule unipc_schedule(const ScheduleOptions& options, SigmaSchedule kind) {
    switch (kind) {
        case SigmaSchedule::official:
            return make_schedule(
                flow_shifted(without_last(linspace(official_highest, 0.0, options.steps + 1)),
                             options.flow_shift),
                TimestepRule::truncated);
        case SigmaSchedule::diffusers:
            return make_schedule(diffusers_levels(options), TimestepRule::truncated);
        case SigmaSchedule::karras:
            return make_schedule(variance_preserving_karras(options.steps),
                                 TimestepRule::truncated);
    }
    fail(ErrorKind::internal, "noise schedule: unknown kind {}", static_cast<int>(kind));
}

/// The numbers of a step from one noise level to the next, in float32.
struct Step {
    float h;       ///< lambda(to) - lambda(from)
    float alpha;   ///< 1 - sigma(to)
    float ratio;   ///< sigma(to) / sigma(from)
    float growth;  ///< e^-h - 1
    float from_lambda;
};

Step step_between(float from, float to) {
    const float from_lambda = half_log_snr(from);
    const float h = half_log_snr(to) - from_lambda;
    return {h, 1.0F - to, to / from, expm1_32(-h), from_lambda};
}

/// Weights of the older and the newer difference in the corrector of order 2: the solution of
/// [[1, 1], [r, 1]] w = b (equation 14 of the paper).
Eigen::Vector2f corrector_weights(const Step& step, float r) {
    const float phi_1 = step.growth / -step.h - 1.0F;
    const float phi_2 = phi_1 / -step.h - 0.5F;
    Eigen::Matrix2f matrix;
    matrix << 1.0F, 1.0F, r, 1.0F;
    const Eigen::Vector2f rhs(phi_1 / step.growth, phi_2 * 2.0F / step.growth);
    return matrix.partialPivLu().solve(rhs);
}

class UniPc final : public Sampler {
public:
    explicit UniPc(Schedule schedule) : schedule_(std::move(schedule)) {}

    [[nodiscard]] const Schedule& schedule() const override { return schedule_; }

    at::Tensor step(std::int64_t k, const at::Tensor& velocity, const at::Tensor& sample) override {
        REELYARD_EXPECT(k == next_ && k < steps());
        const at::Tensor clean = sample - velocity * sigma(k);
        const at::Tensor corrected = k > 0 ? correct(k, clean) : sample;
        older_ = newer_;
        newer_ = clean;
        order_ = std::min({solver_order, steps() - k, k + 1});
        start_ = corrected;
        next_ = k + 1;
        return predict(k);
    }

private:
    [[nodiscard]] std::int64_t steps() const {
        return static_cast<std::int64_t>(schedule_.timesteps.size());
    }
    [[nodiscard]] float sigma(std::int64_t k) const {
        return schedule_.sigmas[static_cast<std::size_t>(k)];
    }

    /// x_k again, from x_{k-1} and with what the model has said at x_k. \param clean [..] float32
    [[nodiscard]] at::Tensor correct(std::int64_t k, const at::Tensor& clean) const {
        const Step step = step_between(sigma(k - 1), sigma(k));
        at::Tensor slope = clean - newer_;
        if (order_ == 1) {
            slope = slope * 0.5F;
        } else {
            const float r = (half_log_snr(sigma(k - 2)) - step.from_lambda) / step.h;
            const Eigen::Vector2f weights = corrector_weights(step, r);
            slope = (older_ - newer_) / r * weights[0] + slope * weights[1];
        }
        return advance(step) - slope * (step.alpha * step.growth);
    }

    /// x_{k+1} from the corrected x_k.
    [[nodiscard]] at::Tensor predict(std::int64_t k) const {
        const Step step = step_between(sigma(k), sigma(k + 1));
        if (order_ == 1) {
            return advance(step);
        }
        const float r = (half_log_snr(sigma(k - 1)) - step.from_lambda) / step.h;
        return advance(step) - (older_ - newer_) / r * 0.5F * (step.alpha * step.growth);
    }

    /// The step of order 1 from the start with the newest estimate.
    [[nodiscard]] at::Tensor advance(const Step& step) const {
        return start_ * step.ratio - newer_ * (step.alpha * step.growth);
    }

    Schedule schedule_;
    std::int64_t next_ = 0;
    std::int64_t order_ = 0;  ///< of the latest predictor
    at::Tensor start_;        ///< [..] float32, where the latest predictor started
    at::Tensor newer_;        ///< [..] float32, latest estimate of the clean sample
    at::Tensor older_;        ///< [..] float32, the one before
};

}  // namespace

std::unique_ptr<Sampler> make_unipc(const ScheduleOptions& options, SigmaSchedule kind) {
    Schedule schedule = unipc_schedule(options, kind);
    require(schedule.sigmas.front() < 1.0F,
            ErrorKind::usage,
            "flow_shift: found {} (expected one whose first noise level is below 1 in float32)",
            options.flow_shift);
    return std::make_unique<UniPc>(std::move(schedule));
}

}  // namespace reelyard::samplers
