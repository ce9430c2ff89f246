#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reelyard/report/run_record.hpp"
#include "reelyard/spec/parallel_layout.hpp"

namespace reelyard::report {

/// One job on one number of ranks.
struct ScalingRow {
    enum class Source { measured, predicted };

    Source source = Source::measured;
    int ranks = 1;
    ParallelLayout layout = {};
    std::string device;
    int threads = 1;         ///< of each rank
    int videos = 0;          ///< that were made
    std::int64_t steps = 0;  ///< that were made for them
    double creation_seconds = 0.0;
    double step_seconds = 0.0;    ///< that one video's step takes its group; 0: not known
    double received_bytes = 0.0;  ///< in a step, by the rank with most
    std::int64_t peak_bytes = 0;  ///< memory of the rank with most

    /// Denoising steps a second of all groups together; 0: not known.
    [[nodiscard]] double steps_per_second() const;
};

[[nodiscard]] ScalingRow measured_row(const RunRecord& run);

/// In the order in which they are to be shown; the first is what others are compared with.
using ScalingRows = std::vector<ScalingRow>;

/// Steps a second and rank, as a share of those of the first row.
[[nodiscard]] double efficiency(const ScalingRow& row, const ScalingRow& first);

/// A line for each row: ranks, layout, creation, seconds a step, steps a second, efficiency, what a
/// rank receives in a step, memory, and whether all this was measured or predicted.
[[nodiscard]] std::string scaling_text(const ScalingRows& rows);

/// The same for spreadsheets: comma-separated, with a head line, in plain units.
[[nodiscard]] std::string scaling_csv(const ScalingRows& rows);

/// Steps a second over ranks, both logarithmic, beside the line of perfect scaling. What is
/// predicted is dashed, with hollow marks, and goes on from the last that was measured.
[[nodiscard]] std::string scaling_svg(const ScalingRows& rows, const std::string& title);

}  // namespace reelyard::report
