#pragma once

#include <cstdint>

#include <c10/core/Device.h>

namespace reelyard::device {

/// The most memory that was in use at once since the program started.
struct MemoryUsage {
    std::int64_t host_peak_bytes = 0;    ///< resident memory of this process
    std::int64_t device_peak_bytes = 0;  ///< tensors on the device; 0 on a CPU
};

/// \throws Error (storage) when the system does not tell
[[nodiscard]] MemoryUsage peak_memory(c10::Device device);

/// Bytes of host memory that programs of this node can still take: what the kernel has available,
/// or less where a control group (of a Slurm job, of a container) sets a limit.
/// \throws Error (storage) when the system does not tell
[[nodiscard]] std::int64_t available_host_bytes();

}  // namespace reelyard::device
