#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "reelyard/dispatch/run_loop.hpp"
#include "reelyard/mpi/communicator.hpp"
#include "reelyard/report/run_record.hpp"
#include "reelyard/spec/parallel_layout.hpp"
#include "reelyard/spec/task.hpp"
#include "reelyard/spec/task_result.hpp"
#include "reelyard/store/weight_loader.hpp"

namespace reelyard::cli {

/// What became of a run, as rank 0 gathers it while results arrive.
struct Tally {
    int made = 0;
    int failed = 0;
    std::int64_t steps = 0;                           ///< denoised in this run
    std::map<std::string, double> task_seconds = {};  ///< by stage, over all tasks

    void add(const Task& task, const TaskResult& result);
};

/// What a run took besides its tasks.
struct RunTimes {
    double load_seconds = 0.0;  ///< transformer and codec
    double text_seconds = 0.0;  ///< the whole text stage, loading included
    double total_seconds = 0.0;
};

/// Numbers of all ranks together.
struct Totals {
    std::int64_t bytes_used = 0;         ///< of the weights, once
    std::int64_t bytes_read = 0;         ///< over all ranks
    std::int64_t host_peak_bytes = 0;    ///< of the rank that needed most
    std::int64_t device_peak_bytes = 0;  ///< likewise
    std::int64_t received_bytes = 0;     ///< while denoising, from others of a video, likewise
};

/// Collective. \param received_bytes of this rank while it denoised, from the others of its video
[[nodiscard]] Totals gather_totals(const mpi::Communicator& world,
                                   const store::LoadReport& loaded,
                                   c10::Device device,
                                   std::int64_t received_bytes);

/// The lines for the end of a run.
[[nodiscard]] std::string summary_text(const Tally& tally,
                                       const RunTimes& times,
                                       const std::vector<dispatch::WorkShare>& shares,
                                       const Totals& totals);

/// What is kept of a run for comparisons with others.
[[nodiscard]] report::RunRecord record_of(const Tally& tally,
                                          const RunTimes& times,
                                          const Totals& totals,
                                          const ParallelLayout& layout);

}  // namespace reelyard::cli
