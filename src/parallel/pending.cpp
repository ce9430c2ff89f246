#include "reelyard/parallel/pending.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard::parallel {
namespace {

// Messages within a node take microseconds; who waits longer than that leaves the core to others.
constexpr double eager_seconds = 200e-6;
constexpr auto nap = std::chrono::microseconds(50);
// Whoever does not come back from a nap for longer was stopped itself: that is nobody's silence.
constexpr double longest_step_seconds = 0.25;
// All who wait for one rank run out of time together; the first of them is to speak for all.
constexpr double seconds_between_ranks = 0.3;
constexpr int most_staggered_ranks = 10;

/// The time that this rank has really waited, on the monotonic clock.
class Patience {
public:
    [[nodiscard]] double seconds() {
        const double now = watch_.seconds();
        waited_ += std::min(now - last_, longest_step_seconds);
        last_ = now;
        return waited_;
    }

private:
    Stopwatch watch_;
    double last_ = 0.0;
    double waited_ = 0.0;
};

}  // namespace

class Pending::Work {
public:
    Work(Name name,
         std::unique_ptr<Transfer> first,
         std::vector<Next> stages,
         trace::ExchangeSpan span)
        : name_(std::move(name))
        , transfer_(std::move(first))
        , stages_(std::move(stages))
        , span_(std::move(span)) {}

    /// Whether all its messages are under way, or through.
    [[nodiscard]] bool is_in_last_stage() const { return next_ == stages_.size(); }

    bool test() {
        return in_context([this] { return move_on(); }, "{}: {}", name_.group, name_.operation);
    }

    void wait_until(const std::function<bool()>& is_reached) {
        const trace::ExchangeSpan::Wait waiting(span_);
        Patience patience;
        const double most =
            name_.timeout + seconds_between_ranks * std::min(name_.rank, most_staggered_ranks);
        while (!is_reached()) {
            const double waited = patience.seconds();
            if (waited > most) {
                give_up();
            }
            if (waited < eager_seconds) {
                std::this_thread::yield();
            } else {
                std::this_thread::sleep_for(nap);
            }
        }
    }

private:
    bool move_on() {
        while (transfer_ == nullptr || transfer_->test()) {
            transfer_.reset();
            if (is_in_last_stage()) {
                span_.end();
                return true;
            }
            transfer_ = stages_[next_]();
            ++next_;
        }
        return false;
    }

    void give_up() const {
        std::vector<int> missing = transfer_->missing();
        for (int& rank : missing) {
            rank = name_.members.empty() ? rank : name_.members.at(static_cast<std::size_t>(rank));
        }
        fail(ErrorKind::communication,
             "{}: {}: no answer from rank {}{} for {} (it hangs, or is far slower than the others)",
             name_.group,
             name_.operation,
             fmt::join(missing, ", "),
             name_.members.empty() ? " of the group" : "",
             format_seconds(name_.timeout));
    }

    Name name_;
    std::unique_ptr<Transfer> transfer_;  ///< of the present stage; none: nothing to wait for
    std::vector<Next> stages_;            ///< that follow it
    std::size_t next_ = 0;
    trace::ExchangeSpan span_;
};

Pending::Pending(Name name,
                 std::unique_ptr<Transfer> first,
                 std::vector<Next> stages,
                 trace::ExchangeSpan span)
    : work_(std::make_shared<Work>(
          std::move(name), std::move(first), std::move(stages), std::move(span))) {}

bool Pending::test() {
    return work_ == nullptr || work_->test();
}

void Pending::wait() {
    if (work_ != nullptr) {
        work_->wait_until([this] { return work_->test(); });
    }
}

void StageOrder::close() {
    if (const auto work = last_.lock()) {
        work->wait_until([&] { return work->is_in_last_stage() || work->test(); });
    }
    last_.reset();
}

}  // namespace reelyard::parallel
