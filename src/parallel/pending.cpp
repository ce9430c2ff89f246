#include "reelyard/parallel/pending.hpp"

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

}  // namespace

class Pending::Work {
public:
    Work(Name name, std::unique_ptr<Transfer> first, std::vector<Next> stages)
        : name_(std::move(name))
        , transfer_(std::move(first))
        , stages_(std::move(stages)) {}

    /// Whether all its messages are under way, or through.
    [[nodiscard]] bool is_in_last_stage() const { return next_ == stages_.size(); }

    bool test() {
        return in_context([this] { return move_on(); }, "{}: {}", name_.group, name_.operation);
    }

    void wait_until(const std::function<bool()>& is_reached) {
        const Stopwatch watch;
        while (!is_reached()) {
            const double waited = watch.seconds();
            if (waited > name_.timeout) {
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
                return true;
            }
            transfer_ = stages_[next_]();
            ++next_;
        }
        return false;
    }

    void give_up() const {
        const std::vector<int> missing = transfer_->missing();
        fail(ErrorKind::communication,
             "{}: {}: no answer from rank {} of the group for {} (it hangs, or is far slower than "
             "the others)",
             name_.group,
             name_.operation,
             fmt::join(missing, ", "),
             format_seconds(name_.timeout));
    }

    Name name_;
    std::unique_ptr<Transfer> transfer_;  ///< of the present stage; none: nothing to wait for
    std::vector<Next> stages_;            ///< that follow it
    std::size_t next_ = 0;
};

Pending::Pending(Name name, std::unique_ptr<Transfer> first, std::vector<Next> stages)
    : work_(std::make_shared<Work>(std::move(name), std::move(first), std::move(stages))) {}

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
