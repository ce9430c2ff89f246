#pragma once

#include <cstddef>
#include <mutex>
#include <optional>
#include <vector>

#include "reelyard/dispatch/run_loop.hpp"

namespace reelyard::dispatch {

/// Positions of the tasks in the order in which they are handed out: the most expensive first,
/// equal ones as they stand in the list.
[[nodiscard]] std::vector<std::size_t> longest_first(const std::vector<Task>& tasks);

/// The tasks that nobody has begun yet. Safe to share between threads.
class Assignment {
public:
    /// \param stop when it says yes, no more tasks are handed out
    Assignment(const std::vector<Task>& tasks, StopQuestion stop);

    /// The position of the next task; nothing when there is none, for good.
    [[nodiscard]] std::optional<std::size_t> next();
    /// Whether next() would have one; another thread may be faster.
    [[nodiscard]] bool has_next();
    /// Hands out no more tasks.
    void close();

private:
    std::mutex mutex_;
    std::vector<std::size_t> order_;
    std::size_t begun_ = 0;
    StopQuestion stop_;
};

}  // namespace reelyard::dispatch
