#pragma once

#include <algorithm>
#include <chrono>
#include <thread>

namespace reelyard::dispatch {

/// How a rank waits for a message: asleep, looking ever more rarely. Waiting inside MPI would take
/// a core from the ranks that work.
class Patience {
public:
    void wait() {
        std::this_thread::sleep_for(pause_);
        pause_ = std::min(pause_ * 2, longest);
    }
    void renew() { pause_ = shortest; }

private:
    static constexpr std::chrono::microseconds shortest{100};
    static constexpr std::chrono::microseconds longest{2000};

    std::chrono::microseconds pause_ = shortest;
};

}  // namespace reelyard::dispatch
