#pragma once

#include <functional>
#include <vector>

#include "reelyard/base/stop_signal.hpp"
#include "reelyard/mpi/communicator.hpp"
#include "reelyard/spec/task.hpp"
#include "reelyard/spec/task_result.hpp"

namespace reelyard::dispatch {

/// Runs one task on this rank's group. A prompt that fails comes back as a result; what is thrown
/// concerns the whole run and ends it.
using TaskRunner = std::function<TaskResult(const Task&)>;

/// How a rank runs tasks in two halves (denoising and decoding), of which another rank may do the
/// second.
struct HalfRunners {
    TaskRunner begin;   ///< State::begun when the second half is left; else the task is over
    TaskRunner finish;  ///< of a task that was begun here or on another rank
};

/// What a rank is there for.
enum class Post {
    whole_tasks,
    second_halves,  ///< it only finishes what others have begun
};

/// Takes results on the leader (rank 0), one at a time, as they arrive.
using ResultConsumer = std::function<void(const TaskResult&)>;

/// Whether this rank was asked to stop.
using StopQuestion = std::function<bool()>;

/// What a rank did in a run.
struct WorkShare {
    int rank = 0;
    Post post = Post::whole_tasks;
    int tasks = 0;               ///< that it began, or, when that is its post, finished
    double busy_seconds = 0.0;   ///< inside the runner
    double total_seconds = 0.0;  ///< from the first request to the end of the run
};

/// Shares `tasks` out over all ranks of `world`: each rank pulls the next one from the leader when
/// it is free, the most expensive first (equal ones in the order of the list); the leader's rank
/// works too. A rank that waits sleeps. Collective.
///
/// The run ends early, once the tasks in flight are done, when a rank is asked to stop, `consume`
/// throws, or a runner throws. Only an Error (communication) leaves the rank it happened on at
/// once: the others cannot be told, and the program has to end on all ranks.
///
/// \param tasks the same list on every rank
/// \param run called by the thread that called run_tasks
/// \param consume called on rank 0 only, by one thread at a time, which need not be that one; not
/// called again after it has thrown
/// \param stop asked on each rank between two tasks
/// \returns on rank 0 each rank's share, elsewhere nothing
/// \throws Error of `consume` or of a runner, the same on all ranks; Error (communication)
[[nodiscard]] std::vector<WorkShare> run_tasks(const mpi::Communicator& world,
                                               const std::vector<Task>& tasks,
                                               const TaskRunner& run,
                                               const ResultConsumer& consume,
                                               const StopQuestion& stop = StopSignal::requested);

/// The same in halves. A rank that has begun a task hands it over to one that waits at
/// Post::second_halves, if there are more tasks to begin meanwhile; otherwise it finishes it
/// itself. The result that `consume` gets has the seconds of both halves and the rank of the first.
/// \param post of this rank; rank 0 does whole tasks
[[nodiscard]] std::vector<WorkShare> run_tasks_in_halves(
    const mpi::Communicator& world,
    const std::vector<Task>& tasks,
    const HalfRunners& run,
    Post post,
    const ResultConsumer& consume,
    const StopQuestion& stop = StopSignal::requested);

}  // namespace reelyard::dispatch
