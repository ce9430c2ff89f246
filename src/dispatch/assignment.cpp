#include "assignment.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace reelyard::dispatch {

std::vector<std::size_t> longest_first(const std::vector<Task>& tasks) {
    std::vector<double> costs;
    costs.reserve(tasks.size());
    for (const Task& task : tasks) {
        costs.push_back(relative_cost(task));
    }
    std::vector<std::size_t> order(tasks.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return costs[a] > costs[b];
    });
    return order;
}

Assignment::Assignment(const std::vector<Task>& tasks, StopQuestion stop)
    : order_(longest_first(tasks))
    , stop_(std::move(stop)) {}

std::optional<std::size_t> Assignment::next() {
    const std::lock_guard lock(mutex_);
    if (begun_ < order_.size() && stop_()) {
        begun_ = order_.size();
    }
    return begun_ < order_.size() ? std::optional(order_[begun_++]) : std::nullopt;
}

bool Assignment::has_next() {
    const std::lock_guard lock(mutex_);
    return begun_ < order_.size();
}

void Assignment::close() {
    const std::lock_guard lock(mutex_);
    begun_ = order_.size();
}

}  // namespace reelyard::dispatch
