#include "worker.hpp"

#include "reelyard/base/clock.hpp"

#include "failure.hpp"
#include "messages.hpp"
#include "patience.hpp"

namespace reelyard::dispatch {
namespace {

constexpr int leader = 0;

Order wait_for_order(const mpi::Communicator& comm) {
    Patience patience;
    while (!comm.probe()) {
        patience.wait();
    }
    return order_from_text(comm.receive_text(leader, message_tag));
}

}  // namespace

std::optional<Error> work_for_leader(const mpi::Communicator& comm,
                                     const std::vector<Task>& tasks,
                                     const HalfRunners& run,
                                     Post post,
                                     const StopQuestion& stop) {
    std::optional<Error> failure;
    Report report{.result = std::nullopt, .busy_seconds = 0.0, .wants_end = stop(), .post = post};
    while (true) {
        comm.send_text(to_text(report), leader, message_tag);
        const Order order = wait_for_order(comm);
        if (!order.task) {
            return failure;
        }
        const Stopwatch watch;
        report.result.reset();
        try {
            const Task& task = tasks.at(static_cast<std::size_t>(*order.task));
            report.result = order.is_begun ? run.finish(task) : run.begin(task);
        } catch (...) {
            failure = to_error(std::current_exception());
            if (failure->kind() == ErrorKind::communication) {
                throw;
            }
        }
        report.busy_seconds = watch.seconds();
        report.wants_end = failure || stop();
    }
}

}  // namespace reelyard::dispatch
