#pragma once

#include <chrono>
#include <thread>

namespace reelyard::mpi {

/// Time between two looks at whether something has come: none at first, then naps. MPI's own
/// waiting keeps a core busy, which the threads that read and convert may need.
class Patience {
public:
    void pause() {
        if (++looks_ > looks_without_nap) {
            std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
    }

private:
    static constexpr int looks_without_nap = 20;
    int looks_ = 0;
};

}  // namespace reelyard::mpi
