#pragma once

#include <cstdint>
#include <functional>

namespace reelyard {

/// Where a task is.
struct StepProgress {
    std::int64_t step = 0;   ///< steps finished
    std::int64_t steps = 0;  ///< of so many
};

enum class StepAnswer { go_on, stop };

/// Called after each denoising step; its answer ends the task early.
using StepObserver = std::function<StepAnswer(const StepProgress&)>;

}  // namespace reelyard
