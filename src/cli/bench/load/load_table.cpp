#include "load_table.hpp"

#include <algorithm>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard::cli {
namespace {

constexpr std::size_t most_listed = 64;

std::string heading(const LoadSetup& setup, std::size_t ranks, const LoadSummary& summary) {
    return fmt::format("{}: {} of {}, {} {} on {} {}\n",
                       setup.settings.store.string(),
                       format_bytes(summary.bytes_used),
                       fmt::join(setup.components, ", "),
                       ranks,
                       ranks == 1 ? "rank" : "ranks",
                       setup.nodes,
                       setup.nodes == 1 ? "node" : "nodes");
}

std::string manner(const LoadSetup& setup) {
    const LoadSettings& settings = setup.settings;
    if (settings.strategy == LoadStrategy::everyone) {
        return "every rank reads everything into memory of its own\n";
    }
    std::string text = fmt::format(
        "every byte read once, transport {} ({})", setup.transport, setup.transport_reason);
    if (settings.tensor_parallel > 1) {
        text += fmt::format(", slices of {} ranks", settings.tensor_parallel);
    }
    if (settings.weight_shards > 1) {
        text += fmt::format(", blocks shared by {} ranks", settings.weight_shards);
    }
    if (setup.shared_host_copy) {
        text += ", one host copy for the ranks of a node";
        if (!setup.small_pages_reason.empty()) {
            text += " in small pages: " + setup.small_pages_reason;
        }
    } else if (settings.private_copies) {
        text += ", a copy for each rank";
    } else if (!setup.private_reason.empty()) {
        text += ", a copy for each rank: " + setup.private_reason;
    }
    return text + (settings.verify ? ", checksums compared\n" : ", checksums not compared\n");
}

std::string conditions(const LoadSetup& setup, const LoadSummary& summary) {
    std::string text = setup.settings.warm ? "page cache left as it was" : "page cache dropped";
    text += summary.resident_fraction ? fmt::format(" ({:.1f} % of the store in it before)",
                                                    100.0 * *summary.resident_fraction)
                                      : " (the system does not tell what is in it)";
    text += setup.touched_bytes > 0 ? fmt::format("; {} touched and freed before each load",
                                                  format_bytes(setup.touched_bytes))
                                    : "; memory not touched before";
    text += setup.raw_is_direct ? "; raw reads pass by the page cache\n"
                                : "; raw reads go through the page cache\n";
    return text;
}

std::string row(const std::string& name, const LoadSample& sample) {
    return fmt::format(
        "  {:<5}{:>10}{:>10}{:>10}{:>10}{:>9.3f}{:>9.3f}{:>9.3f}{:>9.3f}{:>9.3f}{:>9.3f}{:>9.3f}"
        "{:>10}{:>10}\n",
        name,
        format_bytes(sample.weight_bytes),
        format_bytes(sample.bytes_read),
        format_bytes(sample.bytes_read_by_system),
        format_bytes(sample.bytes_exchanged),
        sample.open_seconds,
        sample.read_seconds,
        sample.exchange_seconds,
        sample.attach_seconds,
        sample.other_seconds(),
        sample.total_seconds,
        sample.ready_seconds,
        format_bytes(sample.peak_bytes),
        format_bytes(sample.beyond_bytes));
}

std::string rows(const std::vector<RankFigures>& ranks) {
    std::string text = fmt::format(
        "\n  {:<5}{:>10}{:>10}{:>10}{:>10}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}"
        "{:>9}{:>10}{:>10}\n",
        "rank",
        "held",
        "read",
        "by system",
        "exchanged",
        "open s",
        "read s",
        "exch. s",
        "attach s",
        "other s",
        "total s",
        "ready s",
        "peak",
        "beyond");
    for (std::size_t i = 0; i < std::min(ranks.size(), most_listed); ++i) {
        text += row(fmt::format("{}", ranks[i].rank), typical_load(ranks[i]));
    }
    if (ranks.size() > most_listed) {
        text += fmt::format("  and {} more; --json has them all\n", ranks.size() - most_listed);
    }
    return text;
}

std::string times(const std::string& name,
                  std::int64_t bytes,
                  const Spread& s,
                  const Spread& rate) {
    constexpr double giga = 1e9;
    return fmt::format(
        "  {:<6}{:>10}  {:.3f} s ({:.3f} to {:.3f})  {:.2f} GB/s ({:.2f} to {:.2f})\n",
        name,
        format_bytes(bytes),
        s.median,
        s.minimum,
        s.maximum,
        rate.median / giga,
        rate.minimum / giga,
        rate.maximum / giga);
}

std::string totals(const LoadSummary& summary) {
    const auto used = static_cast<double>(summary.bytes_used);
    std::string text = fmt::format(
        "\nmedian of the slowest rank (least to most)\n{}{}  ratio {:.3f} ({:.3f} to {:.3f})\n",
        times("load", summary.bytes_used, summary.load_seconds, summary.load_rate),
        times("raw", summary.raw_bytes, summary.raw_seconds, summary.raw_rate),
        summary.ratio.median,
        summary.ratio.minimum,
        summary.ratio.maximum);
    text +=
        fmt::format("  MPI is up {:.2f} s after the start of the process\n", summary.start_seconds);
    text += fmt::format("  ready, a byte of every page read: {:.3f} s ({:.3f} to {:.3f})\n",
                        summary.ready_seconds.median,
                        summary.ready_seconds.minimum,
                        summary.ready_seconds.maximum);
    text += fmt::format(
        "bytes   {} read = {:.4f} x used; {} as the system counted = {:.4f} x; {} exchanged\n",
        format_bytes(summary.bytes_read),
        static_cast<double>(summary.bytes_read) / used,
        format_bytes(summary.bytes_read_by_system),
        static_cast<double>(summary.bytes_read_by_system) / used,
        format_bytes(summary.bytes_exchanged));
    text += fmt::format(
        "memory  {} held by all ranks together (sum of PSS) = {:.3f} x the weights; beyond the "
        "weights at most {} on a rank\n",
        format_bytes(summary.proportional_bytes),
        static_cast<double>(summary.proportional_bytes) / used,
        format_bytes(summary.beyond_bytes));
    return text;
}

}  // namespace

std::string load_figures_table(const LoadSetup& setup, const std::vector<RankFigures>& ranks) {
    const LoadSummary summary = summarise(ranks);
    return heading(setup, ranks.size(), summary) + manner(setup) + conditions(setup, summary) +
           rows(ranks) + totals(summary);
}

}  // namespace reelyard::cli
