#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "reelyard/device/version.hpp"

/// What differs between a CUDA build (backend_cuda.cpp) and any other (backend_cpu.cpp).
namespace reelyard::device::backend {

[[nodiscard]] int device_count();
void set_device(int index);
[[nodiscard]] std::string identity(int index);
void synchronize(int index);
/// Page-locks host memory that somebody else owns.
void pin(void* memory, std::size_t bytes);
void unpin(void* memory);
[[nodiscard]] std::int64_t peak_bytes(int index);
[[nodiscard]] LibraryVersion cuda_version();
[[nodiscard]] LibraryVersion nccl_version();

}  // namespace reelyard::device::backend
