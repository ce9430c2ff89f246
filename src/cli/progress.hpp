#pragma once

#include <cstdint>
#include <functional>
#include <iosfwd>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "reelyard/spec/step_observer.hpp"
#include "reelyard/spec/task.hpp"
#include "reelyard/spec/task_result.hpp"

namespace reelyard::cli {

/// Where progress is shown.
struct ProgressOutput {
    std::ostream* terminal = nullptr;  ///< draws a bar here; null: no bar
    int columns = 80;                  ///< of the terminal
    /// Takes a plain line now and then; empty: none.
    std::function<void(const std::string& line)> say = {};
    std::function<double()> clock_s = {};  ///< seconds since some moment; empty: a real clock
};

/// What suits this process: nothing on ranks other than 0; a bar where standard error is a
/// terminal, with plain lines for the log file only; plain lines in the log elsewhere; with `quiet`
/// those for the log file only.
[[nodiscard]] ProgressOutput choose_progress_output(int rank, bool quiet);

/// How far something is, at one moment.
struct ProgressState {
    double fraction = 0.0;  ///< 0 to 1
    std::string text = {};  ///< "5/12, step 7/20"
    std::optional<double> seconds_left = {};
};

/// Shows how far something is, no more often than a reader can follow. Not for several threads at
/// once.
class ProgressLine {
public:
    /// \param title what is being done: "videos"
    ProgressLine(std::string title, ProgressOutput output);
    /// Leaves the cursor on a line of its own.
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(const ProgressState& state);
    /// Shows the last state whenever the one before was shown.
    void finish(const ProgressState& state);

    [[nodiscard]] double seconds() const { return output_.clock_s() - start_s_; }

private:
    void draw(const ProgressState& state);
    void say(const ProgressState& state) const;

    std::string title_;
    ProgressOutput output_;
    double start_s_;
    double last_drawn_s_;
    double last_said_s_;
    bool bar_is_open_ = false;
};

/// Bytes that are read or written, as of `import` and `inspect --verify`.
class ByteProgress {
public:
    ByteProgress(std::string title, ProgressOutput output);

    void show(std::int64_t done_bytes, std::int64_t total_bytes);

private:
    ProgressLine line_;
};

/// The videos of a run, as rank 0 sees them: finished ones of all ranks, and the steps of its own.
/// Its functions may be called by several threads at once.
class TaskProgress {
public:
    /// \param tasks what is to be made \param ranks that share it
    TaskProgress(const std::vector<Task>& tasks, int ranks, ProgressOutput output);

    /// A step of this rank's own task.
    void step(const Task& task, const StepProgress& progress);
    void finished(const TaskResult& result);
    /// Shows the end, all tasks done or not.
    void finish();

private:
    [[nodiscard]] ProgressState state() const;
    [[nodiscard]] std::optional<double> seconds_left() const;

    mutable std::mutex mutex_;  // guards all below
    ProgressLine line_;
    std::map<std::string, double> costs_;  // by id, relative
    double total_cost_ = 0.0;
    double done_cost_ = 0.0;
    double own_done_cost_ = 0.0;   // of this rank
    double own_begun_cost_ = 0.0;  // of the task in hand, as far as it is
    std::string own_step_;         // "step 7/20"; empty: none in hand
    std::size_t workers_;
    std::size_t finished_ = 0;
    std::size_t failed_ = 0;
};

}  // namespace reelyard::cli
