#include "comm_figures.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard::cli {
namespace {

using nlohmann::json;

constexpr double giga = 1e9;
constexpr double micro = 1e-6;

std::string heading(const CommReport& report) {
    const CommSettings& settings = report.settings;
    return fmt::format(
        "{} ranks on {} {}, groups of {}; {} on {}, messages over {}\n"
        "median of {} repetitions after a warm-up, of the slowest rank (least to most)\n",
        report.ranks,
        report.nodes,
        report.nodes == 1 ? "node" : "nodes",
        settings.group,
        to_string(settings.dtype),
        report.device,
        report.backend,
        settings.repetitions);
}

std::string microseconds(double seconds) {
    return fmt::format("{:.1f}", seconds / micro);
}

/// \param link the part of the link's bandwidth that it reaches; empty for the link itself
std::string row(const std::string& name, const CommFigures& figures, const std::string& link) {
    const bool has_size = figures.size_bytes > 0;
    return fmt::format("  {:<15}{:>10}{:>10}{:>12}{:>26}{:>9}{:>9}\n",
                       name,
                       has_size ? format_bytes(figures.size_bytes) : "-",
                       format_bytes(figures.received_bytes),
                       microseconds(figures.seconds.median),
                       fmt::format("({} to {})",
                                   microseconds(figures.seconds.minimum),
                                   microseconds(figures.seconds.maximum)),
                       has_size ? fmt::format("{:.3f}", figures.bandwidth() / giga) : "-",
                       link);
}

std::string rows(const CommReport& report) {
    std::string text = fmt::format("\n  {:<15}{:>10}{:>10}{:>12}{:>26}{:>9}{:>9}\n",
                                   "operation",
                                   "size",
                                   "received",
                                   "us",
                                   "",
                                   "GB/s",
                                   "of link");
    for (const CommSeries& series : report.operations) {
        for (const CommFigures& figures : series.sizes) {
            const double share = share_of_link(report, figures);
            text += row(
                series.name, figures, share > 0.0 ? fmt::format("{:.0f} %", 100.0 * share) : "-");
        }
    }
    return text;
}

std::string link_rows(const CommReport& report) {
    std::string text = "\nwhat the link can do\n";
    for (const CommFigures& figures : report.exchange.sizes) {
        text += row(report.exchange.name, figures, "");
    }
    for (const CommFigures& figures : report.copy.sizes) {
        text += row(report.copy.name, figures, "");
    }
    return text;
}

std::string latencies(const CommReport& report) {
    std::vector<std::string> parts;
    for (const CommSeries& series : report.operations) {
        parts.push_back(
            fmt::format("{} {}", series.name, microseconds(series.sizes.front().seconds.median)));
    }
    return fmt::format("\nlatency at {} (us): {}\n",
                       format_bytes(report.settings.sizes.front()),
                       fmt::join(parts, ", "));
}

json to_json(const CommReport& report, const CommSeries& series, bool is_operation) {
    json sizes = json::array();
    for (const CommFigures& figures : series.sizes) {
        json entry = {{"size_bytes", figures.size_bytes},
                      {"received_bytes", figures.received_bytes},
                      {"seconds",
                       {{"median", figures.seconds.median},
                        {"minimum", figures.seconds.minimum},
                        {"maximum", figures.seconds.maximum}}},
                      {"gb_per_second", figures.bandwidth() / giga}};
        if (is_operation) {
            entry["share_of_link"] = share_of_link(report, figures);
        }
        sizes.push_back(std::move(entry));
    }
    json value = {{"name", series.name}, {"sizes", std::move(sizes)}};
    if (!series.sizes.empty()) {
        value["latency_seconds"] = series.sizes.front().seconds.median;
    }
    return value;
}

}  // namespace

double share_of_link(const CommReport& report, const CommFigures& figures) {
    const CommSeries& link = report.exchange.sizes.empty() ? report.copy : report.exchange;
    const auto same =
        std::find_if(link.sizes.begin(), link.sizes.end(), [&](const CommFigures& other) {
            return other.size_bytes == figures.size_bytes;
        });
    if (same == link.sizes.end() || same->bandwidth() <= 0.0) {
        return 0.0;
    }
    return figures.bandwidth() / same->bandwidth();
}

std::string comm_figures_table(const CommReport& report) {
    return heading(report) + rows(report) + link_rows(report) + latencies(report);
}

std::string comm_figures_json(const CommReport& report) {
    json operations = json::array();
    for (const CommSeries& series : report.operations) {
        operations.push_back(to_json(report, series, true));
    }
    const json value = {{"benchmark", "comm"},
                        {"ranks", report.ranks},
                        {"nodes", report.nodes},
                        {"group", report.settings.group},
                        {"dtype", to_string(report.settings.dtype)},
                        {"device", report.device},
                        {"backend", report.backend},
                        {"repetitions", report.settings.repetitions},
                        {"operations", std::move(operations)},
                        {"link",
                         {{"exchange", to_json(report, report.exchange, false)},
                          {"copy", to_json(report, report.copy, false)}}}};
    return value.dump(2) + "\n";
}

}  // namespace reelyard::cli
