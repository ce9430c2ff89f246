#include "reelyard/dispatch/run_loop.hpp"

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"

#include "leader.hpp"
#include "worker.hpp"

namespace reelyard::dispatch {

std::vector<WorkShare> run_tasks(const mpi::Communicator& world,
                                 const std::vector<Task>& tasks,
                                 const TaskRunner& run,
                                 const ResultConsumer& consume,
                                 const StopQuestion& stop) {
    const HalfRunners at_once{.begin = run, .finish = {}};
    return run_tasks_in_halves(world, tasks, at_once, Post::whole_tasks, consume, stop);
}

std::vector<WorkShare> run_tasks_in_halves(const mpi::Communicator& world,
                                           const std::vector<Task>& tasks,
                                           const HalfRunners& run,
                                           Post post,
                                           const ResultConsumer& consume,
                                           const StopQuestion& stop) {
    // An own communicator keeps these messages apart from those of the runners.
    const auto comm = world.duplicate();
    if (comm.rank() != 0) {
        mpi::agree(comm, work_for_leader(comm, tasks, run, post, stop));
        return {};
    }
    REELYARD_EXPECT(post == Post::whole_tasks);
    Leader leader(comm, tasks, consume, stop);
    mpi::agree(comm, leader.lead(run));
    return leader.shares();
}

}  // namespace reelyard::dispatch
