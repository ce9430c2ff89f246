#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace reelyard::nn {

/// Runs body(0) ... body(tasks - 1) on LibTorch's threads, in no particular order.
///
/// Inside a task every LibTorch operation runs on one thread. Work cut into tasks by shapes alone
/// therefore gives the same bits on any number of threads.
/// \throws whatever a task throws first, after all have ended
void for_each_task(std::int64_t tasks, const std::function<void(std::int64_t task)>& body);

/// The same; every thread has `scratch_bytes` bytes to itself, aligned to a cache line. What a task
/// finds there is undefined.
void for_each_task(std::int64_t tasks,
                   std::int64_t scratch_bytes,
                   const std::function<void(std::int64_t task, std::byte* scratch)>& body);

}  // namespace reelyard::nn
