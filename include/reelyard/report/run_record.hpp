#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "reelyard/spec/parallel_layout.hpp"

namespace reelyard::report {

/// What a run was and what it cost, as it leaves it in its output folder for comparisons.
struct RunRecord {
    int ranks = 1;
    int nodes = 1;
    ParallelLayout layout = {};
    std::string device = {};
    int threads = 1;  ///< of each rank
    int videos = 0;
    std::int64_t steps = 0;           ///< denoising steps of all videos that were made
    double creation_seconds = 0.0;    ///< from nothing until transformer and codec can compute
    double denoise_seconds = 0.0;     ///< over all videos
    double decode_seconds = 0.0;      ///< over all videos
    double total_seconds = 0.0;       ///< of the run
    std::int64_t bytes_used = 0;      ///< of the weights
    std::int64_t bytes_read = 0;      ///< of the weights, by all ranks
    std::int64_t received_bytes = 0;  ///< from other ranks of its video while it denoised, of the
                                      ///< rank with most
    std::int64_t peak_bytes = 0;      ///< memory of the rank with most

    /// Seconds that one video's step takes its group; 0 when there was none.
    [[nodiscard]] double step_seconds() const;
};

/// Name of the file in the output folder.
inline constexpr const char* run_record_name = "performance.json";

/// Replaces the file whole. \throws Error (storage)
void write_run_record(const std::filesystem::path& file, const RunRecord& record);

/// \throws Error (input) that names file and key
[[nodiscard]] RunRecord read_run_record(const std::filesystem::path& file);

}  // namespace reelyard::report
