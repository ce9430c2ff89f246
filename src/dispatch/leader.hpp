#pragma once

#include <atomic>
#include <exception>
#include <mutex>
#include <optional>
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
    [[nodiscard]] std::optional<Error> lead(const TaskRunner& run);

    /// After lead().
    [[nodiscard]] std::vector<WorkShare> shares() const;

private:
    void work(const TaskRunner& run);
    void serve();
    void answer(int worker);
    void take(const Report& report, int rank);
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

    int parked_ = 0;  // workers that wait for the end of the run
    std::atomic<bool> abandoned_ = false;
    std::exception_ptr service_failure_;  // read after the thread has ended
    std::thread service_;
};

}  // namespace reelyard::dispatch
