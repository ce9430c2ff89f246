#pragma once

#include <cstddef>
#include <span>

#include <c10/core/Device.h>

namespace reelyard::device {

/// Keeps host memory in place for as long as this object lives, so that copies between it and a
/// GPU run beside other work. For the CPU nothing is done.
class PinnedMemory {
public:
    /// \param memory of somebody else's, alive for longer than this object
    /// \throws Error (resources) when the system refuses
    PinnedMemory(std::span<std::byte> memory, c10::Device device);
    PinnedMemory(const PinnedMemory&) = delete;
    PinnedMemory& operator=(const PinnedMemory&) = delete;
    ~PinnedMemory();

private:
    std::byte* pinned_ = nullptr;
};

}  // namespace reelyard::device
