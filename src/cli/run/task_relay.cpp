#include "task_relay.hpp"

namespace reelyard::cli {

TaskResult TaskRelay::lead(const Task& task, const StepObserver& observer) {
    (void)tell(to_json(task));
    return runner_.run(task, observer);
}

void TaskRelay::release() {
    (void)tell({});
}

void TaskRelay::follow(const StepObserver& observer) {
    for (std::string task = tell({}); !task.empty(); task = tell({})) {
        (void)runner_.run(task_from_json(task), observer);
    }
}

std::string TaskRelay::tell(const std::string& text) {
    if (ranks_.size() == 1) {
        return text;
    }
    ranks_.patient_barrier();
    return ranks_.broadcast_text(text, 0);
}

}  // namespace reelyard::cli
