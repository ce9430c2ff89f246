#include "reelyard/plan/machine_speed.hpp"

#include <algorithm>

#include "reelyard/base/error.hpp"

namespace reelyard::plan {
namespace {

/// Sums over steps, of their multiply-adds (`a`) and exchange (`b`) for each second they took.
struct NormalEquations {
    double a = 0.0;
    double b = 0.0;
    double aa = 0.0;
    double ab = 0.0;
    double bb = 0.0;

    explicit NormalEquations(const std::vector<MeasuredStep>& steps) {
        for (const MeasuredStep& step : steps) {
            REELYARD_EXPECT(step.seconds > 0.0);
            const double work = step.cost.multiply_adds / step.seconds;
            const double exchange = step.cost.all_exchange_seconds() / step.seconds;
            a += work;
            b += exchange;
            aa += work * work;
            ab += work * exchange;
            bb += exchange * exchange;
        }
    }

    /// Whether they tell the speed of computing from that of exchange.
    [[nodiscard]] bool are_independent() const {
        constexpr double least = 1e-6;
        return aa * bb - ab * ab > least * aa * bb;
    }
};

}  // namespace

double MachineSpeed::step_seconds(const StepCost& cost) const {
    double seconds = multiply_add_seconds * cost.multiply_adds;
    for (const auto& [link, nominal] : cost.exchange_seconds) {
        seconds += (measured_links.contains(link) ? exchange_factor : 1.0) * nominal;
    }
    return seconds;
}

MachineSpeed fit_speed(const std::vector<MeasuredStep>& steps) {
    REELYARD_EXPECT(!steps.empty());
    const NormalEquations sums(steps);
    MachineSpeed speed;
    if (sums.are_independent()) {
        speed.exchange_factor =
            (sums.aa * sums.b - sums.ab * sums.a) / (sums.aa * sums.bb - sums.ab * sums.ab);
        speed.exchange_factor = std::max(speed.exchange_factor, 0.0);
        for (const MeasuredStep& step : steps) {
            for (const auto& [link, seconds] : step.cost.exchange_seconds) {
                speed.measured_links.insert(link);
            }
        }
    }
    speed.multiply_add_seconds = (sums.a - speed.exchange_factor * sums.ab) / sums.aa;
    require(speed.multiply_add_seconds > 0.0,
            ErrorKind::input,
            "the steps that were measured take no longer than their exchange would at the speeds "
            "of the links (expected a run with fewer ranks for a video, too)");
    return speed;
}

}  // namespace reelyard::plan
