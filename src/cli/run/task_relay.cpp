#include "task_relay.hpp"

namespace reelyard::cli {
namespace {

/// What stands before a task in a message.
constexpr char denoise_mark = 'd';
constexpr char decode_mark = 'v';

}  // namespace

TaskResult TaskRelay::lead(const Task& task, Half half, const StepObserver& observer) {
    (void)tell((half == Half::denoise ? denoise_mark : decode_mark) + to_json(task));
    return run(task, half, observer);
}

void TaskRelay::release() {
    (void)tell({});
}

void TaskRelay::follow(const StepObserver& observer) {
    for (std::string told = tell({}); !told.empty(); told = tell({})) {
        const Half half = told.front() == denoise_mark ? Half::denoise : Half::decode;
        (void)run(task_from_json(told.substr(1)), half, observer);
    }
}

TaskResult TaskRelay::run(const Task& task, Half half, const StepObserver& observer) {
    return half == Half::denoise ? runner_.denoise(task, observer) : runner_.decode(task);
}

std::string TaskRelay::tell(const std::string& text) {
    if (ranks_.size() == 1) {
        return text;
    }
    ranks_.patient_barrier();
    return ranks_.broadcast_text(text, 0);
}

}  // namespace reelyard::cli
