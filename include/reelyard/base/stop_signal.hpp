#pragma once

namespace reelyard {

/// While it lives, SIGINT, SIGTERM and SIGUSR1 ask the program to stop instead of ending it; a
/// second SIGINT ends it.
class StopSignal {
public:
    StopSignal();
    ~StopSignal();
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    /// Whether a stop was asked for since the program started.
    [[nodiscard]] static bool requested();
};

}  // namespace reelyard
