#pragma once

#include <functional>
#include <vector>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/spec/task.hpp"
#include "reelyard/spec/task_result.hpp"

namespace reelyard::dispatch {

/// Runs one task on this rank's group. A prompt that fails comes back as a result, not as an
/// exception.
using TaskRunner = std::function<TaskResult(const Task&)>;

/// Takes results on the leader (rank 0), one at a time, as they arrive.
using ResultConsumer = std::function<void(const TaskResult&)>;

/// What a rank did in a run.
struct WorkShare {
    int rank = 0;
    int tasks = 0;
    double busy_seconds = 0.0;   ///< inside the runner
    double total_seconds = 0.0;  ///< from the first request to the end of the run
};

/// Shares `tasks` out over all ranks of `world`: each rank pulls the next one from the leader when
/// it is free, the most expensive first; the leader's rank works too. Collective. \param tasks the
/// same list on every rank \param consume called on rank 0 only, from one thread at a time \returns
/// on rank 0 each rank's share, elsewhere nothing \throws Error of `consume` on all ranks; Error
/// (communication)
[[nodiscard]] std::vector<WorkShare> run_tasks(const mpi::Communicator& world,
                                               const std::vector<Task>& tasks,
                                               const TaskRunner& run,
                                               const ResultConsumer& consume);

}  // namespace reelyard::dispatch
