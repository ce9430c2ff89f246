#include "summary.hpp"

#include <algorithm>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/format.hpp"
#include "reelyard/device/memory_usage.hpp"

namespace reelyard::cli {
namespace {

/// "busy 93 % (rank 0: 95 %, rank 1: 91 %)"; with many ranks the least and the most only.
std::string busy_text(const std::vector<dispatch::WorkShare>& shares) {
    constexpr std::size_t most_listed = 8;
    std::vector<double> percents;
    double sum = 0.0;
    for (const auto& share : shares) {
        percents.push_back(
            share.total_seconds > 0.0 ? 100.0 * share.busy_seconds / share.total_seconds : 0.0);
        sum += percents.back();
    }
    if (percents.empty()) {
        return "no rank had work";
    }
    const double mean = sum / static_cast<double>(percents.size());
    if (percents.size() > most_listed) {
        const auto [least, most] = std::minmax_element(percents.begin(), percents.end());
        return fmt::format("{:.0f} % on average, {:.0f} to {:.0f} % by rank", mean, *least, *most);
    }
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < shares.size(); ++i) {
        parts.push_back(
            shares[i].post == dispatch::Post::second_halves
                ? fmt::format("spare ranks {:.0f} % decoding {}", percents[i], shares[i].tasks)
                : fmt::format(
                      "rank {} {:.0f} % with {}", shares[i].rank, percents[i], shares[i].tasks));
    }
    return fmt::format("{:.0f} % ({})", mean, fmt::join(parts, ", "));
}

std::string read_text(const Totals& totals) {
    if (totals.bytes_used == 0) {
        return "nothing";
    }
    return fmt::format(
        "{} for {} of weights used: {:.2f} times",
        format_bytes(totals.bytes_read),
        format_bytes(totals.bytes_used),
        static_cast<double>(totals.bytes_read) / static_cast<double>(totals.bytes_used));
}

}  // namespace

void Tally::add(const Task& task, const TaskResult& result) {
    const bool is_denoised =
        result.state == TaskResult::State::done && result.seconds.contains("denoise");
    steps += is_denoised ? task.steps : 0;
    made += result.state == TaskResult::State::done ? 1 : 0;
    failed += result.state == TaskResult::State::failed ? 1 : 0;
    for (const auto& [stage, seconds] : result.seconds) {
        task_seconds[stage] += seconds;
    }
}

Totals gather_totals(const mpi::Communicator& world,
                     const store::LoadReport& loaded,
                     c10::Device device,
                     std::int64_t received_bytes) {
    const auto memory = device::peak_memory(device);
    return {.bytes_used = loaded.bytes_used,
            .bytes_read = world.sum(loaded.bytes_read),
            .host_peak_bytes = world.max(memory.host_peak_bytes),
            .device_peak_bytes = world.max(memory.device_peak_bytes),
            .received_bytes = world.max(received_bytes)};
}

report::RunRecord record_of(const Tally& tally,
                            const RunTimes& times,
                            const Totals& totals,
                            const ParallelLayout& layout) {
    const auto seconds_of = [&](const char* stage) {
        const auto found = tally.task_seconds.find(stage);
        return found == tally.task_seconds.end() ? 0.0 : found->second;
    };
    report::RunRecord record;
    record.layout = layout;
    record.videos = tally.made;
    record.steps = tally.steps;
    record.creation_seconds = times.load_seconds;
    record.denoise_seconds = seconds_of("denoise");
    record.decode_seconds = seconds_of("decode");
    record.total_seconds = times.total_seconds;
    record.bytes_used = totals.bytes_used;
    record.bytes_read = totals.bytes_read;
    record.received_bytes = totals.received_bytes;
    record.peak_bytes = std::max(totals.host_peak_bytes, totals.device_peak_bytes);
    return record;
}

std::string summary_text(const Tally& tally,
                         const RunTimes& times,
                         const std::vector<dispatch::WorkShare>& shares,
                         const Totals& totals) {
    std::string text = fmt::format("{} made, {} failed, in {}\n",
                                   tally.made,
                                   tally.failed,
                                   format_seconds(times.total_seconds));
    text += fmt::format("  text     {}\n", format_seconds(times.text_seconds));
    text += fmt::format("  creation {}\n", format_seconds(times.load_seconds));
    for (const auto& [stage, seconds] : tally.task_seconds) {
        text += fmt::format("  {:<8} {} over all ranks\n", stage, format_seconds(seconds));
    }
    text += fmt::format("  busy     {}\n", busy_text(shares));
    text += fmt::format("  read     {}\n", read_text(totals));
    text += fmt::format("  memory   {} at most on a rank", format_bytes(totals.host_peak_bytes));
    if (totals.device_peak_bytes > 0) {
        text += fmt::format(", {} on its device", format_bytes(totals.device_peak_bytes));
    }
    return text;
}

}  // namespace reelyard::cli
