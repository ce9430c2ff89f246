#include "reelyard/base/stop_signal.hpp"

#include <array>
#include <csignal>

namespace reelyard {
namespace {

constexpr std::array<int, 3> signals{SIGINT, SIGTERM, SIGUSR1};

// A handler can reach nothing but static storage.
volatile std::sig_atomic_t stop_requested = 0;

extern "C" void remember_stop(int signal) {
    if (stop_requested != 0 && signal == SIGINT) {
        std::signal(SIGINT, SIG_DFL);
        std::raise(SIGINT);
    }
    stop_requested = 1;
}

void handle_all(void (*handler)(int)) {
    for (const int signal : signals) {
        struct sigaction action {};
        action.sa_handler = handler;
        action.sa_flags = SA_RESTART;
        sigaction(signal, &action, nullptr);
    }
}

}  // namespace

StopSignal::StopSignal() {
    handle_all(remember_stop);
}
StopSignal::~StopSignal() {
    handle_all(SIG_DFL);
}

bool StopSignal::requested() {
    return stop_requested != 0;
}

}  // namespace reelyard
