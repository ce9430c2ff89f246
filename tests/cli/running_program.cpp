#include "running_program.hpp"

#include <csignal>
#include <ctime>

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

void RunningProgram::signal(int number) const {
    kill(-pid_, number);
}

int RunningProgram::wait() {
    if (!ended_) {
        waitpid(pid_, &status_, 0);
        ended_ = true;
    }
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
}

}  // namespace reelyard::cli
