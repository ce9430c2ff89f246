#include "backend.hpp"

namespace reelyard::device::backend {

int device_count() {
    return 0;
}

void set_device(int /*index*/) {}

std::string identity(int /*index*/) {
    return "";
}

void synchronize(int /*index*/) {}

void pin(void* /*memory*/, std::size_t /*bytes*/) {}

void unpin(void* /*memory*/) {}

std::int64_t peak_bytes(int /*index*/) {
    return 0;
}

LibraryVersion cuda_version() {
    return {.name = "CUDA", .built = "", .found = ""};
}

LibraryVersion nccl_version() {
    return {.name = "NCCL", .built = "", .found = ""};
}

}  // namespace reelyard::device::backend
