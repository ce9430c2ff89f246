#pragma once

#include <atomic>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/dispatch/run_loop.hpp"
#include "reelyard/mpi/communicator.hpp"

#include "assignment.hpp"
#include "messages.hpp"

namespace reelyard::dispatch {

/// Rank 0: serves the other ranks in a thread of its own, while the thread that called works on
/// tasks too.
class Leader {
public:
    /// The arguments outlive the leader.
    Leader(const mpi::Communicator& comm,
           const std::vector<Task>& tasks,
           const ResultConsumer& consume,
           const StopQuestion& stop);
    /// Ends the thread, done or not.
    ~Leader();
    Leader(const Leader&) = delete;
    Leader& operator=(const Leader&) = delete;

    /// Works until there are no more tasks, waits until the workers are done too, and tells them
    /// that the run is over. \returns what went wrong on this rank, in the runner or in `consume`
    /// \throws Error (communication)
    [[nodiscard]] std::optional<Error> lead(const HalfRunners& run);

    /// After lead().
    [[nodiscard]] std::vector<WorkShare> shares() const;

private:
    void work(const HalfRunners& run);
    void work_on(std::size_t index, const HalfRunners& run);
    void serve();
    void answer(int worker);
    /// \returns what the worker is to do next; nothing: wait
    [[nodiscard]] std::optional<Order> next_order(const Report& report, int worker);
    /// Gives the second half of a task to a rank that waits for one, if there are more tasks to
    /// begin. \returns whether it has done so
    [[nodiscard]] bool hand_over(std::size_t index);
    [[nodiscard]] bool all_are_parked();
    void send(const Order& order, int worker) const;
    void take(const Report& report, int rank);
    void settle(TaskResult result, WorkShare& share);
    void consume(const TaskResult& result);
    void note_failure(const Error& error);
    void release_workers() const;

    const mpi::Communicator& comm_;
    const std::vector<Task>& tasks_;
    const ResultConsumer& consume_;
    Assignment assignment_;
    Stopwatch since_start_;

    std::mutex results_mutex_;  // guards all down to shares_, and the calls of consume_
    std::optional<Error> failure_;
    bool consume_failed_ = false;
    std::vector<double> first_requests_s_;  // by rank, since the start
    std::vector<WorkShare> shares_;
    std::map<std::string, TaskResult> begun_;  // first halves, by task

    std::mutex posts_mutex_;               // guards the next two
    int parked_ = 0;                       // workers that wait for an order or the end of the run
    std::vector<int> idle_finishers_;      // those of them that wait for second halves
    std::vector<std::size_t> last_begun_;  // task of each rank; the service's own
    std::atomic<bool> own_work_is_done_ = false;
    std::atomic<bool> abandoned_ = false;
    std::exception_ptr service_failure_;  // read after the thread has ended
    std::thread service_;
};

}  // namespace reelyard::dispatch
