#include "reelyard/nn/parallel.hpp"

#include <exception>
#include <mutex>

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <c10/util/ParallelGuard.h>

namespace reelyard::nn {

void for_each_task(std::int64_t tasks, const std::function<void(std::int64_t task)>& body) {
    const int threads = at::in_parallel_region() ? 1 : at::get_num_threads();
    const bool inference = c10::InferenceMode::is_enabled();
    std::exception_ptr failure;
    std::mutex failure_guard;
    // Also for one task: only inside a region do the libraries below use one thread.
#pragma omp parallel num_threads(threads) if (threads > 1)
    {
        const c10::InferenceMode mode(inference);
        const c10::ParallelGuard region(true);
#pragma omp for schedule(dynamic, 1)
        for (std::int64_t task = 0; task < tasks; ++task) {
            try {
                body(task);
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

}  // namespace reelyard::nn
