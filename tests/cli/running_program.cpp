#include "running_program.hpp"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"

namespace reelyard::cli {
namespace {

constexpr double patience_s = 60.0;

[[noreturn]] void become(const std::string& command) {
    setpgid(0, 0);
    const int nowhere = open("/dev/null", O_RDWR);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        dup2(nowhere, stream);
    }
    execl("/bin/sh", "sh", "-c", ("exec " + command).c_str(), nullptr);
    _exit(127);
}

/// What a process has started and not yet seen end.
std::vector<pid_t> children_of(pid_t parent) {
    std::vector<pid_t> children;
    std::error_code gone;
    const std::filesystem::path threads = "/proc/" + std::to_string(parent) + "/task";
    for (const auto& thread : std::filesystem::directory_iterator(threads, gone)) {
        std::ifstream list(thread.path() / "children");
        for (pid_t child = 0; list >> child;) {
            children.push_back(child);
        }
    }
    return children;
}

/// Not one that has ended, even if nobody has asked how.
bool is_running(pid_t process) {
    std::error_code gone;
    (void)std::filesystem::read_symlink("/proc/" + std::to_string(process) + "/exe", gone);
    return !gone;
}

void rest() {
    const timespec moment{.tv_sec = 0, .tv_nsec = 5'000'000};
    nanosleep(&moment, nullptr);
}

}  // namespace

RunningProgram::RunningProgram(const std::string& command) : pid_(fork()) {
    require(pid_ >= 0, ErrorKind::resources, "cannot start: {}", command);
    if (pid_ == 0) {
        become(command);
    }
}

RunningProgram::~RunningProgram() {
    if (!has_ended()) {
        kill(-pid_, SIGKILL);
        (void)wait();
    }
}

bool RunningProgram::has_ended() {
    ended_ = ended_ || waitpid(pid_, &status_, WNOHANG) == pid_;
    return ended_;
}

bool RunningProgram::wait_until(const std::function<bool()>& condition) {
    const Stopwatch watch;
    while (watch.seconds() < patience_s) {
        if (condition()) {
            return true;
        }
        if (has_ended()) {
            return false;
        }
        rest();
    }
    return false;
}

void RunningProgram::signal(int number) {
    children_ = children_of(pid_);
    kill(-pid_, number);
}

int RunningProgram::wait() {
    if (!ended_) {
        waitpid(pid_, &status_, 0);
        ended_ = true;
    }
    // Ranks outlive a launcher that is killed by a moment, in which they still write.
    const Stopwatch watch;
    while (std::any_of(children_.begin(), children_.end(), is_running) &&
           watch.seconds() < patience_s) {
        rest();
    }
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

}  // namespace reelyard::cli
