#pragma once

#include <functional>
#include <string>
#include <vector>

#include <sys/types.h>

namespace reelyard::cli {

/// A shell command in the background, in a process group of its own.
class RunningProgram {
public:
    /// Its output goes nowhere.
    explicit RunningProgram(const std::string& command);
    RunningProgram(const RunningProgram&) = delete;
    RunningProgram& operator=(const RunningProgram&) = delete;
    /// Kills what still runs.
    ~RunningProgram();

    /// Looks again and again until `condition` holds. \returns false when the program ended, or a
    /// minute passed, before
    [[nodiscard]] bool wait_until(const std::function<bool()>& condition);

    void signal(int number);
    /// For it, and after a signal for what it had started. \returns the exit code, or 128 and the
    /// signal that ended it
    [[nodiscard]] int wait();

private:
    [[nodiscard]] bool has_ended();

    pid_t pid_;
    bool ended_ = false;
    int status_ = 0;
    std::vector<pid_t> children_;  ///< when it was sent a signal
};

}  // namespace reelyard::cli
