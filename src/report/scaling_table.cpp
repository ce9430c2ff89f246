#include "reelyard/report/scaling_table.hpp"

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"

#include "chart.hpp"

namespace reelyard::report {
namespace {

double received_per_step(const RunRecord& run) {
    return run.steps > 0 ? static_cast<double>(run.received_bytes) * run.replicas /
                               static_cast<double>(run.steps)
                         : 0.0;
}

/// A text as a field of a CSV file (RFC 4180).
std::string quoted(const std::string& text) {
    std::string field = "\"";
    for (const char letter : text) {
        field += letter == '"' ? std::string("\"\"") : std::string(1, letter);
    }
    return field + '"';
}

}  // namespace

double steps_per_second(const RunRecord& run) {
    return run.denoise_seconds > 0.0 ? run.replicas / run.step_seconds() : 0.0;
}

double efficiency(const RunRecord& run, const RunRecord& first) {
    const double base = steps_per_second(first) / first.ranks;
    return base > 0.0 ? steps_per_second(run) / run.ranks / base : 0.0;
}

std::string scaling_text(const ScalingRuns& runs) {
    REELYARD_EXPECT(!runs.empty());
    std::string text = fmt::format("{:>5}  {:<34} {:>9} {:>11} {:>9} {:>10} {:>12} {:>10}\n",
                                   "ranks",
                                   "layout",
                                   "creation",
                                   "s per step",
                                   "steps/s",
                                   "efficiency",
                                   "received",
                                   "memory");
    for (const RunRecord& run : runs) {
        text += fmt::format("{:>5}  {:<34} {:>9} {:>11.4f} {:>9.2f} {:>8.0f} % {:>12} {:>10}\n",
                            run.ranks,
                            run.layout,
                            format_seconds(run.creation_seconds),
                            run.step_seconds(),
                            steps_per_second(run),
                            100.0 * efficiency(run, runs.front()),
                            format_bytes(static_cast<std::int64_t>(received_per_step(run))),
                            format_bytes(run.peak_bytes));
    }
    return text + "received: bytes of the rank with most, in one step; memory: likewise\n";
}

std::string scaling_csv(const ScalingRuns& runs) {
    REELYARD_EXPECT(!runs.empty());
    std::string text =
        "ranks,replicas,layout,device,threads,videos,steps,creation_seconds,step_seconds,"
        "steps_per_second,efficiency,received_bytes_per_step,peak_bytes\n";
    for (const RunRecord& run : runs) {
        text += fmt::format("{},{},{},{},{},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:.0f},{}\n",
                            run.ranks,
                            run.replicas,
                            quoted(run.layout),
                            run.device,
                            run.threads,
                            run.videos,
                            run.steps,
                            run.creation_seconds,
                            run.step_seconds(),
                            steps_per_second(run),
                            efficiency(run, runs.front()),
                            received_per_step(run),
                            run.peak_bytes);
    }
    return text;
}

std::string scaling_svg(const ScalingRuns& runs, const std::string& title) {
    REELYARD_EXPECT(!runs.empty());
    Curve measured{.name = "measured", .is_dashed = false, .points = {}};
    Curve perfect{.name = "perfect", .is_dashed = true, .points = {}};
    const double base = steps_per_second(runs.front()) / runs.front().ranks;
    for (const RunRecord& run : runs) {
        measured.points.push_back(
            {.x = static_cast<double>(run.ranks), .y = steps_per_second(run)});
        perfect.points.push_back({.x = static_cast<double>(run.ranks), .y = base * run.ranks});
    }
    return log_chart({.title = title, .x_name = "ranks", .y_name = "denoising steps a second"},
                     {perfect, measured});
}

}  // namespace reelyard::report
