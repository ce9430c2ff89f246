#include "progress.hpp"

#include <algorithm>
#include <cmath>
#include <iostream>
#include <utility>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/format.hpp"
#include "reelyard/base/log.hpp"

#include "terminal.hpp"

namespace reelyard::cli {
namespace {

constexpr double drawing_interval_s = 0.1;
constexpr double line_interval_s = 15.0;
constexpr int bar_cells = 20;

int percent(double fraction) {
    // Rounded down, so that 100 is the end; but not by what the sum of many parts lacks.
    constexpr double rounding = 1e-9;
    return static_cast<int>(std::floor(std::clamp(fraction + rounding, 0.0, 1.0) * 100.0));
}

std::string time_left(const ProgressState& state) {
    return state.seconds_left ? fmt::format(", {} left", format_seconds(*state.seconds_left)) : "";
}

std::string bar_of(const std::string& title, const ProgressState& state) {
    const auto full = static_cast<int>(std::clamp(state.fraction, 0.0, 1.0) * bar_cells);
    return fmt::format("{} [{:#>{}}{:->{}}] {:3}%  {}{}",
                       title,
                       "",
                       full,
                       "",
                       bar_cells - full,
                       percent(state.fraction),
                       state.text,
                       time_left(state));
}

}  // namespace

ProgressOutput choose_progress_output(int rank, bool quiet) {
    if (rank != 0) {
        return {};
    }
    const auto columns = terminal_columns();
    if (quiet || columns) {
        return {.terminal = quiet ? nullptr : &std::cerr,
                .columns = columns.value_or(0),
                .say = [](const std::string& line) {
                    log::debug("{}", line);
                }};
    }
    return {.say = [](const std::string& line) {
        log::info("{}", line);
    }};
}

ProgressLine::ProgressLine(std::string title, ProgressOutput output)
    : title_(std::move(title))
    , output_(std::move(output)) {
    if (!output_.clock_s) {
        output_.clock_s = [watch = Stopwatch()] {
            return watch.seconds();
        };
    }
    start_s_ = output_.clock_s();
    last_drawn_s_ = start_s_ - drawing_interval_s;
    last_said_s_ = start_s_;
}

ProgressLine::~ProgressLine() {
    if (bar_is_open_) {
        *output_.terminal << '\n' << std::flush;
    }
}

void ProgressLine::show(const ProgressState& state) {
    const double now = output_.clock_s();
    if (now - last_drawn_s_ >= drawing_interval_s) {
        last_drawn_s_ = now;
        draw(state);
    }
    if (now - last_said_s_ >= line_interval_s) {
        last_said_s_ = now;
        say(state);
    }
}

void ProgressLine::finish(const ProgressState& state) {
    draw(state);
    say(state);
    if (bar_is_open_) {
        *output_.terminal << '\n' << std::flush;
        bar_is_open_ = false;
    }
}

void ProgressLine::draw(const ProgressState& state) {
    if (output_.terminal == nullptr) {
        return;
    }
    auto bar = bar_of(title_, state);
    const auto room = static_cast<std::size_t>(std::max(output_.columns - 1, 0));
    bar.resize(std::min(bar.size(), room));
    // From the beginning of the line, and the rest of it cleared.
    *output_.terminal << '\r' << bar << "\x1b[K" << std::flush;
    bar_is_open_ = true;
}

void ProgressLine::say(const ProgressState& state) const {
    if (output_.say) {
        output_.say(fmt::format(
            "{}: {} ({}%){}", title_, state.text, percent(state.fraction), time_left(state)));
    }
}

ByteProgress::ByteProgress(std::string title, ProgressOutput output)
    : line_(std::move(title), std::move(output)) {}

void ByteProgress::show(std::int64_t done_bytes, std::int64_t total_bytes) {
    const double fraction =
        total_bytes > 0 ? static_cast<double>(done_bytes) / static_cast<double>(total_bytes) : 1.0;
    ProgressState state{
        .fraction = fraction,
        .text = fmt::format("{} of {}", format_bytes(done_bytes), format_bytes(total_bytes))};
    if (done_bytes >= total_bytes) {
        line_.finish(state);
        return;
    }
    if (fraction > 0.0) {
        state.seconds_left = line_.seconds() / fraction * (1.0 - fraction);
    }
    line_.show(state);
}

TaskProgress::TaskProgress(const std::vector<Task>& tasks, int ranks, ProgressOutput output)
    : line_("videos", std::move(output))
    , workers_(std::min(tasks.size(), static_cast<std::size_t>(ranks))) {
    for (const Task& task : tasks) {
        const double cost = relative_cost(task);
        costs_[task.id] = cost;
        total_cost_ += cost;
    }
}

void TaskProgress::step(const Task& task, const StepProgress& progress) {
    const std::lock_guard lock(mutex_);
    const double part = static_cast<double>(progress.step) / static_cast<double>(progress.steps);
    own_begun_cost_ = costs_.at(task.id) * part;
    own_step_ = fmt::format("step {}/{}", progress.step, progress.steps);
    line_.show(state());
}

void TaskProgress::finished(const TaskResult& result) {
    const std::lock_guard lock(mutex_);
    const bool is_over = result.state != TaskResult::State::stopped;
    const double cost = is_over ? costs_.at(result.id) : 0.0;
    done_cost_ += cost;
    finished_ += is_over ? 1 : 0;
    failed_ += result.state == TaskResult::State::failed ? 1 : 0;
    if (result.rank == 0) {
        own_done_cost_ += cost;
        own_begun_cost_ = 0.0;
        own_step_.clear();
    }
    line_.show(state());
}

void TaskProgress::finish() {
    const std::lock_guard lock(mutex_);
    own_step_.clear();
    auto last = state();
    last.seconds_left.reset();
    line_.finish(last);
}

ProgressState TaskProgress::state() const {
    ProgressState state{
        .fraction = total_cost_ > 0.0 ? (done_cost_ + own_begun_cost_) / total_cost_ : 1.0,
        .text = fmt::format("{}/{}", finished_, costs_.size()),
        .seconds_left = seconds_left()};
    if (failed_ > 0) {
        state.text += fmt::format(", {} failed", failed_);
    }
    if (!own_step_.empty()) {
        state.text += ", " + own_step_;
    }
    return state;
}

std::optional<double> TaskProgress::seconds_left() const {
    // This rank's speed is the only one that is known between two results.
    const double own_cost = own_done_cost_ + own_begun_cost_;
    if (own_cost <= 0.0) {
        return std::nullopt;
    }
    const double seconds_per_cost = line_.seconds() / own_cost;
    const double cost_left = std::max(total_cost_ - done_cost_ - own_begun_cost_, 0.0);
    return cost_left * seconds_per_cost / static_cast<double>(workers_);
}

}  // namespace reelyard::cli
