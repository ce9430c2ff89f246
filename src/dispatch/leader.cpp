#include "leader.hpp"

#include <utility>

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
    , first_requests_s_(static_cast<std::size_t>(comm.size()))
    , last_begun_(static_cast<std::size_t>(comm.size())) {
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

std::optional<Error> Leader::lead(const HalfRunners& run) {
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

void Leader::work(const HalfRunners& run) {
    while (const auto index = assignment_.next()) {
        try {
            work_on(*index, run);
        } catch (...) {
            const Error error = to_error(std::current_exception());
            if (error.kind() == ErrorKind::communication) {
                throw;
            }
            const std::lock_guard lock(results_mutex_);
            note_failure(error);
        }
    }
    own_work_is_done_ = true;
}

void Leader::work_on(std::size_t index, const HalfRunners& run) {
    const auto measured = [&](const TaskRunner& half) {
        const Stopwatch watch;
        const TaskResult result = half(tasks_[index]);
        take({.result = result, .busy_seconds = watch.seconds(), .wants_end = false}, 0);
        return result.state;
    };
    if (measured(run.begin) == TaskResult::State::begun && !hand_over(index)) {
        (void)measured(run.finish);
    }
}

void Leader::serve() {
    Patience patience;
    while (!(own_work_is_done_ && all_are_parked()) && !abandoned_) {
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
    if (const auto order = next_order(report, worker)) {
        send(*order, worker);
    }
}

std::optional<Order> Leader::next_order(const Report& report, int worker) {
    const auto rank = static_cast<std::size_t>(worker);
    if (report.result && report.result->state == TaskResult::State::begun &&
        !hand_over(last_begun_[rank])) {
        return Order{.task = static_cast<std::int64_t>(last_begun_[rank]), .is_begun = true};
    }
    if (report.post == Post::whole_tasks) {
        if (const auto index = assignment_.next()) {
            last_begun_[rank] = *index;
            return Order{.task = static_cast<std::int64_t>(*index)};
        }
    }
    // A worker for whom there is nothing to do hears so when the run is over: it then need not wait
    // for the others inside MPI.
    const std::lock_guard lock(posts_mutex_);
    ++parked_;
    if (report.post == Post::second_halves) {
        idle_finishers_.push_back(worker);
    }
    return std::nullopt;
}

bool Leader::hand_over(std::size_t index) {
    const std::lock_guard lock(posts_mutex_);
    if (idle_finishers_.empty() || !assignment_.has_next()) {
        return false;
    }
    const int finisher = idle_finishers_.back();
    idle_finishers_.pop_back();
    --parked_;
    send({.task = static_cast<std::int64_t>(index), .is_begun = true}, finisher);
    return true;
}

bool Leader::all_are_parked() {
    const std::lock_guard lock(posts_mutex_);
    return parked_ + 1 == comm_.size();
}

void Leader::send(const Order& order, int worker) const {
    comm_.send_text(to_text(order), worker, message_tag);
}

void Leader::take(const Report& report, int rank) {
    const std::lock_guard lock(results_mutex_);
    auto& share = shares_[static_cast<std::size_t>(rank)];
    share.post = report.post;
    share.busy_seconds += report.busy_seconds;
    if (report.result) {
        settle(*report.result, share);
    } else if (report.busy_seconds == 0.0) {
        first_requests_s_[static_cast<std::size_t>(rank)] = since_start_.seconds();
    }
}

/// A task counts where it is begun, and once more with a rank that only finishes.
void Leader::settle(TaskResult result, WorkShare& share) {
    auto first_half = begun_.extract(result.id);
    share.tasks += first_half.empty() || share.post == Post::second_halves ? 1 : 0;
    if (!first_half.empty()) {
        result.rank = first_half.mapped().rank;
        result.seconds.merge(first_half.mapped().seconds);
    }
    if (result.state == TaskResult::State::begun) {
        begun_.insert_or_assign(result.id, std::move(result));
    } else {
        consume(result);
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
