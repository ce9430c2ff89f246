#include "reelyard/device/pinned_memory.hpp"

#include "backend.hpp"

namespace reelyard::device {

PinnedMemory::PinnedMemory(std::span<std::byte> memory, c10::Device device) {
    if (device.is_cuda() && !memory.empty()) {
        backend::pin(memory.data(), memory.size());
        pinned_ = memory.data();
    }
}

PinnedMemory::~PinnedMemory() {
    if (pinned_ != nullptr) {
        backend::unpin(pinned_);
    }
}

}  // namespace reelyard::device
