#pragma once

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/spec/step_observer.hpp"
#include "reelyard/spec/task.hpp"
#include "reelyard/spec/task_result.hpp"

#include "task_runner.hpp"

namespace reelyard::cli {

/// What the ranks of a video do of a task.
enum class Half { denoise, decode };

/// Makes the ranks of one video work on the same task: the first of them is given tasks and tells
/// the others, who follow until they are released.
class TaskRelay {
public:
    /// \param runner, ranks outlive the relay
    TaskRelay(TaskRunner& runner, const mpi::Communicator& ranks)
        : runner_(runner)
        , ranks_(ranks) {}

    [[nodiscard]] bool is_first() const { return ranks_.rank() == 0; }
    /// On the first rank.
    [[nodiscard]] TaskResult lead(const Task& task, Half half, const StepObserver& observer);
    /// On the first rank: there are no more tasks.
    void release();
    /// On the others: returns when they are released.
    void follow(const StepObserver& observer);

private:
    [[nodiscard]] TaskResult run(const Task& task, Half half, const StepObserver& observer);
    /// Waits for long with little work for the core. \returns the text of the first rank
    [[nodiscard]] std::string tell(const std::string& text);

    TaskRunner& runner_;
    const mpi::Communicator& ranks_;
};

}  // namespace reelyard::cli
