#pragma once

#include <cstdint>

#include "reelyard/device/version.hpp"

/// What differs between a CUDA build (backend_cuda.cpp) and any other (backend_cpu.cpp).
namespace reelyard::device::backend {

[[nodiscard]] int device_count();
void set_device(int index);
void synchronize(int index);
[[nodiscard]] std::int64_t peak_bytes(int index);
[[nodiscard]] LibraryVersion cuda_version();
[[nodiscard]] LibraryVersion nccl_version();

}  // namespace reelyard::device::backend
