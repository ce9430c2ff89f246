#include "leader.hpp"

#include "failure.hpp"
#include "patience.hpp"

namespace reelyard::dispatch {
Leader::Leader(const mpi::Communicator& comm,
               const std::vector<Task>& tasks,
               const ResultConsumer& consume,
               const StopQuestion& stop)
    : comm_(comm)
    , tasks_(tasks)
    , consume_(consume)
    , assignment_(tasks, stop)
    , first_requests_s_(static_cast<std::size_t>(comm.size())) {
    for (int rank = 0; rank < comm.size(); ++rank) {
        shares_.push_back({.rank = rank});
    }
}

Leader::~Leader() {
    abandoned_ = true;
    if (service_.joinable()) {
        service_.join();
    }
}

std::optional<Error> Leader::lead(const TaskRunner& run) {
    service_ = std::thread([this] {
        try {
            serve();
        } catch (...) {
            service_failure_ = std::current_exception();
            assignment_.close();
        }
    });
    work(run);
    service_.join();
    if (service_failure_) {
        std::rethrow_exception(service_failure_);
    }
    release_workers();
    const double end = since_start_.seconds();
    for (std::size_t rank = 0; rank < shares_.size(); ++rank) {
        shares_[rank].total_seconds = end - first_requests_s_[rank];
    }
    return failure_;
}

std::vector<WorkShare> Leader::shares() const {
    return shares_;
}

void Leader::work(const TaskRunner& run) {
    while (const auto index = assignment_.next()) {
        const Stopwatch watch;
        try {
            const TaskResult result = run(tasks_[*index]);
            take({.result = result, .busy_seconds = watch.seconds(), .wants_end = false}, 0);
        } catch (...) {
            const Error error = to_error(std::current_exception());
            if (error.kind() == ErrorKind::communication) {
                throw;
            }
            const std::lock_guard lock(results_mutex_);
            note_failure(error);
        }
    }
}

void Leader::serve() {
    Patience patience;
    while (parked_ + 1 < comm_.size() && !abandoned_) {
        if (const auto envelope = comm_.probe()) {
            answer(envelope->source);
            patience.renew();
        } else {
            patience.wait();
        }
    }
}

void Leader::answer(int worker) {
    const Report report = report_from_text(comm_.receive_text(worker, message_tag));
    if (report.wants_end) {
        assignment_.close();
    }
    take(report, worker);
    // A worker for whom there is nothing to do hears so when the run is over: it then need not wait
    // for the others inside MPI.
    if (const auto index = assignment_.next()) {
        comm_.send_text(
            to_text(Order{.task = static_cast<std::int64_t>(*index)}), worker, message_tag);
    } else {
        ++parked_;
    }
}

void Leader::take(const Report& report, int rank) {
    const std::lock_guard lock(results_mutex_);
    auto& share = shares_[static_cast<std::size_t>(rank)];
    share.busy_seconds += report.busy_seconds;
    if (report.result) {
        ++share.tasks;
        consume(*report.result);
    } else if (report.busy_seconds == 0.0) {
        first_requests_s_[static_cast<std::size_t>(rank)] = since_start_.seconds();
    }
}

void Leader::consume(const TaskResult& result) {
    if (consume_failed_) {
        return;
    }
    try {
        consume_(result);
    } catch (...) {
        consume_failed_ = true;
        note_failure(to_error(std::current_exception()));
    }
}

void Leader::note_failure(const Error& error) {
    if (!failure_) {
        failure_ = error;
    }
    assignment_.close();
}

void Leader::release_workers() const {
    for (int rank = 1; rank < comm_.size(); ++rank) {
        comm_.send_text(to_text(Order{}), rank, message_tag);
    }
}

}  // namespace reelyard::dispatch
