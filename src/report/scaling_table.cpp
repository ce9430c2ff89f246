#include "reelyard/report/scaling_table.hpp"

#include <algorithm>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"

#include "chart.hpp"

namespace reelyard::report {
namespace {

using Source = ScalingRow::Source;

const char* name_of(Source source) {
    return source == Source::measured ? "measured" : "predicted";
}

/// A text as a field of a CSV file (RFC 4180).
std::string quoted(const std::string& text) {
    std::string field = "\"";
    for (const char letter : text) {
        field += letter == '"' ? std::string("\"\"") : std::string(1, letter);
    }
    return field + '"';
}

std::vector<ChartPoint> points_of(const ScalingRows& rows, Source source) {
    std::vector<ChartPoint> points;
    for (const ScalingRow& row : rows) {
        if (row.source == source) {
            points.push_back({.x = static_cast<double>(row.ranks), .y = row.steps_per_second()});
        }
    }
    return points;
}

}  // namespace

double ScalingRow::steps_per_second() const {
    return step_seconds > 0.0 ? layout.replicas / step_seconds : 0.0;
}

ScalingRow measured_row(const RunRecord& run) {
    // The groups of a run share out its steps.
    const double received = static_cast<double>(run.received_bytes) * run.layout.replicas;
    return {.source = Source::measured,
            .ranks = run.ranks,
            .layout = run.layout,
            .device = run.device,
            .threads = run.threads,
            .videos = run.videos,
            .steps = run.steps,
            .creation_seconds = run.creation_seconds,
            .step_seconds = run.step_seconds(),
            .received_bytes = run.steps > 0 ? received / static_cast<double>(run.steps) : 0.0,
            .peak_bytes = run.peak_bytes};
}

double efficiency(const ScalingRow& row, const ScalingRow& first) {
    const double base = first.steps_per_second() / first.ranks;
    return base > 0.0 ? row.steps_per_second() / row.ranks / base : 0.0;
}

std::string scaling_text(const ScalingRows& rows) {
    REELYARD_EXPECT(!rows.empty());
    std::size_t width = 0;
    for (const ScalingRow& row : rows) {
        width = std::max(width, to_string(row.layout).size());
    }
    std::string text = fmt::format("{:>5}  {:<{}} {:>9} {:>11} {:>9} {:>10} {:>12} {:>10}  {}\n",
                                   "ranks",
                                   "layout",
                                   width,
                                   "creation",
                                   "s per step",
                                   "steps/s",
                                   "efficiency",
                                   "received",
                                   "memory",
                                   "source");
    for (const ScalingRow& row : rows) {
        text += fmt::format("{:>5}  {:<{}} {:>9} {:>11.4f} {:>9.2f} {:>8.0f} % {:>12} {:>10}  {}\n",
                            row.ranks,
                            to_string(row.layout),
                            width,
                            format_seconds(row.creation_seconds),
                            row.step_seconds,
                            row.steps_per_second(),
                            100.0 * efficiency(row, rows.front()),
                            format_bytes(static_cast<std::int64_t>(row.received_bytes)),
                            format_bytes(row.peak_bytes),
                            name_of(row.source));
    }
    return text + "received: bytes of the rank with most, in one step; memory: likewise\n";
}

std::string scaling_csv(const ScalingRows& rows) {
    REELYARD_EXPECT(!rows.empty());
    std::string text =
        "ranks,replicas,layout,device,threads,videos,steps,creation_seconds,step_seconds,"
        "steps_per_second,efficiency,received_bytes_per_step,peak_bytes,source\n";
    for (const ScalingRow& row : rows) {
        text += fmt::format("{},{},{},{},{},{},{},{:.6f},{:.6f},{:.6f},{:.6f},{:.0f},{},{}\n",
                            row.ranks,
                            row.layout.replicas,
                            quoted(to_string(row.layout)),
                            row.device,
                            row.threads,
                            row.videos,
                            row.steps,
                            row.creation_seconds,
                            row.step_seconds,
                            row.steps_per_second(),
                            efficiency(row, rows.front()),
                            row.received_bytes,
                            row.peak_bytes,
                            name_of(row.source));
    }
    return text;
}

std::string scaling_svg(const ScalingRows& rows, const std::string& title) {
    REELYARD_EXPECT(!rows.empty());
    const Curve measured{.name = "measured",
                         .stroke = Stroke::solid,
                         .origin = {},
                         .points = points_of(rows, Source::measured)};
    Curve predicted{.name = "predicted",
                    .stroke = Stroke::dashed,
                    .origin = {},
                    .points = points_of(rows, Source::predicted)};
    if (!measured.points.empty() && !predicted.points.empty() &&
        measured.points.back().x < predicted.points.front().x) {
        predicted.origin = measured.points.back();
    }
    Curve perfect{.name = "perfect", .stroke = Stroke::dotted, .origin = {}, .points = {}};
    const double base = rows.front().steps_per_second() / rows.front().ranks;
    for (const ScalingRow& row : rows) {
        perfect.points.push_back({.x = static_cast<double>(row.ranks), .y = base * row.ranks});
    }
    return log_chart({.title = title, .x_name = "ranks", .y_name = "denoising steps a second"},
                     {perfect, predicted, measured});
}

}  // namespace reelyard::report
