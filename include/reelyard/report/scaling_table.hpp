#pragma once

#include <string>
#include <vector>

#include "reelyard/report/run_record.hpp"

namespace reelyard::report {

/// Runs of one job on different numbers of ranks, in ascending order.
using ScalingRuns = std::vector<RunRecord>;

/// Denoising steps a second of all groups together.
[[nodiscard]] double steps_per_second(const RunRecord& run);

/// Steps a second and rank, as a share of those of the first run.
[[nodiscard]] double efficiency(const RunRecord& run, const RunRecord& first);

/// A line for each run: ranks, layout, creation, seconds a step, steps a second, efficiency, what a
/// rank receives in a step, memory.
[[nodiscard]] std::string scaling_text(const ScalingRuns& runs);

/// The same for spreadsheets: comma-separated, with a head line, in plain units.
[[nodiscard]] std::string scaling_csv(const ScalingRuns& runs);

/// Steps a second over ranks, both logarithmic, beside the line of perfect scaling.
[[nodiscard]] std::string scaling_svg(const ScalingRuns& runs, const std::string& title);

}  // namespace reelyard::report
