#include "reelyard/nn/parallel.hpp"

#include <exception>
#include <mutex>

#include <ATen/Parallel.h>
#include <c10/core/CPUAllocator.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/ParallelGuard.h>
#include <omp.h>

namespace reelyard::nn {

namespace {

/// Runs body(task, thread) for all tasks.
template <typename Body>
void run_tasks(std::int64_t tasks, [[maybe_unused]] int threads, const Body& body) {
    const bool inference = c10::InferenceMode::is_enabled();
    std::exception_ptr failure;
    std::mutex failure_guard;
    // Also for one task: only inside a region do the libraries below use one thread.
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        const c10::InferenceMode mode(inference);
        const c10::ParallelGuard region(true);
        const int thread = omp_get_thread_num();
#pragma omp for schedule(dynamic, 1)
        for (std::int64_t task = 0; task < tasks; ++task) {
            try {
                body(task, thread);
            } catch (...) {
                const std::lock_guard lock(failure_guard);
                failure = failure ? failure : std::current_exception();
            }
        }
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
}

int usable_threads() {
    return at::in_parallel_region() ? 1 : at::get_num_threads();
}

}  // namespace

void for_each_task(std::int64_t tasks, const std::function<void(std::int64_t task)>& body) {
    run_tasks(tasks, usable_threads(), [&](std::int64_t task, int /*thread*/) { body(task); });
}

void for_each_task(std::int64_t tasks,
                   std::int64_t scratch_bytes,
                   const std::function<void(std::int64_t task, std::byte* scratch)>& body) {
    constexpr std::int64_t line = 64;
    const std::int64_t share = (scratch_bytes + line - 1) / line * line;
    const int threads = usable_threads();
    const c10::DataPtr memory =
        c10::GetCPUAllocator()->allocate(static_cast<std::size_t>(share * threads));
    run_tasks(tasks, threads, [&](std::int64_t task, int thread) {
        body(task, static_cast<std::byte*>(memory.get()) + thread * share);
    });
}

}  // namespace reelyard::nn
