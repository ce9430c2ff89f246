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

Pending::Pending(Name name, std::unique_ptr<Transfer> first, std::vector<Next> stages)
    : name_(std::move(name))
    , transfer_(std::move(first))
    , stages_(std::move(stages)) {}

bool Pending::test() {
    while (transfer_ == nullptr || transfer_->test()) {
        transfer_.reset();
        if (next_ == stages_.size()) {
            return true;
        }
        transfer_ = stages_[next_]();
        ++next_;
    }
    return false;
}

void Pending::wait() {
    const Stopwatch watch;
    while (!test()) {
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

void Pending::give_up() const {
    const std::vector<int> missing = transfer_->missing();
    fail(ErrorKind::communication,
         "{}: {}: no answer from rank {} of the group for {} (it hangs, or is far slower than the "
         "others)",
         name_.group,
         name_.operation,
         fmt::join(missing, ", "),
         format_seconds(name_.timeout));
}

}  // namespace reelyard::parallel
