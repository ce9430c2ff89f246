#pragma once

#include <string>
#include <string_view>

#include <c10/core/Device.h>

namespace reelyard::device {

/// The number of CUDA devices that this process sees; 0 in a build without CUDA.
[[nodiscard]] int cuda_device_count();

/// The device that a rank computes on.
///
/// \param text "cpu", "cuda" (the devices in turn by local rank), "cuda:N" (this one on every
/// rank), or "auto": as "cuda" where there is a device, otherwise "cpu" \param local_rank the
/// rank's number on its node \throws Error (usage) for any other text, (resources) when the device
/// is not there
[[nodiscard]] c10::Device resolve(std::string_view text, int local_rank);

/// Makes `device` the one that new streams and allocations of this thread go to.
void make_current(c10::Device device);

/// "GPU-" and the number that the maker gave it, whatever index it has here; "cpu" for the CPU.
[[nodiscard]] std::string identity(c10::Device device);

/// Waits until all work given to `device` so far is done.
void synchronize(c10::Device device);

}  // namespace reelyard::device
