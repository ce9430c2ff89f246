#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "reelyard/dispatch/run_loop.hpp"
#include "reelyard/spec/task_result.hpp"

namespace reelyard::dispatch {

/// The tag of all messages; sender and receiver tell what they are.
inline constexpr int message_tag = 1;

/// What a worker tells the leader when it is free.
struct Report {
    std::optional<TaskResult> result;  ///< of its last task; nothing at the beginning
    double busy_seconds = 0.0;         ///< spent on that task
    bool wants_end = false;            ///< it failed or was asked to stop
    Post post = Post::whole_tasks;     ///< what the worker is there for
};

/// What the leader answers.
struct Order {
    std::optional<std::int64_t> task;  ///< index in the list; nothing: the run is over
    bool is_begun = false;             ///< only its second half is left
};

[[nodiscard]] std::string to_text(const Report& report);
[[nodiscard]] Report report_from_text(const std::string& text);
[[nodiscard]] std::string to_text(const Order& order);
[[nodiscard]] Order order_from_text(const std::string& text);

}  // namespace reelyard::dispatch
