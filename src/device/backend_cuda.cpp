#include <c10/cuda/CUDACachingAllocator.h>
#include <cuda_runtime_api.h>
#include <nccl.h>

#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"

#include "backend.hpp"

namespace reelyard::device::backend {

namespace {

void check(cudaError_t code, const char* call) {
    require(code == cudaSuccess,
            ErrorKind::resources,
            "{}: {} ({})",
            call,
            cudaGetErrorString(code),
            cudaGetErrorName(code));
}

// CUDA counts 13000 for 13.0.
std::string cuda_text(int version) {
    return fmt::format("{}.{}", version / 1000, version % 1000 / 10);
}

// NCCL counts 22809 for 2.28.9.
std::string nccl_text(int version) {
    return fmt::format("{}.{}.{}", version / 10000, version / 100 % 100, version % 100);
}

}  // namespace

int device_count() {
    int count = 0;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code == cudaErrorNoDevice || code == cudaErrorInsufficientDriver) {
        cudaGetLastError();  // also clears it, so that it does not come up in a later call
        return 0;
    }
    check(code, "cudaGetDeviceCount");
    return count;
}

void set_device(int index) {
    check(cudaSetDevice(index), "cudaSetDevice");
}

std::string identity(int index) {
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
    std::string text = "GPU-";
    for (const char byte : properties.uuid.bytes) {
        text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
    }
    return text;
}

void synchronize(int index) {
    int before = 0;
    check(cudaGetDevice(&before), "cudaGetDevice");
    check(cudaSetDevice(index), "cudaSetDevice");
    check(cudaDeviceSynchronize(), "cudaDeviceSynchronize");
    check(cudaSetDevice(before), "cudaSetDevice");
}

void pin(void* memory, std::size_t bytes) {
    check(cudaHostRegister(memory, bytes, cudaHostRegisterPortable), "cudaHostRegister");
}

void unpin(void* memory) {
    // Called by a destructor: an error here could only be that the program is ending.
    (void)cudaHostUnregister(memory);
}

std::int64_t peak_bytes(int index) {
    namespace allocator = c10::cuda::CUDACachingAllocator;
    if (!allocator::get()->initialized()) {
        return 0;
    }
    const auto stats = allocator::getDeviceStats(static_cast<c10::DeviceIndex>(index));
    constexpr auto all = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
    return stats.allocated_bytes[all].peak;
}

LibraryVersion cuda_version() {
    int found = 0;
    const bool is_there = cudaRuntimeGetVersion(&found) == cudaSuccess;
    return {.name = "CUDA",
            .built = cuda_text(CUDART_VERSION),
            .found = is_there ? cuda_text(found) : ""};
}

LibraryVersion nccl_version() {
    int found = 0;
    const bool is_there = ncclGetVersion(&found) == ncclSuccess;
    return {.name = "NCCL",
            .built = nccl_text(NCCL_VERSION_CODE),
            .found = is_there ? nccl_text(found) : ""};
}

}  // namespace reelyard::device::backend
