#include "process_memory.hpp"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>

#include <sys/mman.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"

namespace reelyard::cli {
namespace {

constexpr std::int64_t page = 4 * kibibyte;

/// The number in the line of a file below /proc that begins with `key`.
std::int64_t number_in(const char* path, std::string_view key) {
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        if (!line.starts_with(key)) {
            continue;
        }
        const auto first = line.find_first_of("0123456789", key.size());
        std::int64_t value = 0;
        if (first != std::string::npos) {
            std::from_chars(line.data() + first, line.data() + line.size(), value);
        }
        return value;
    }
    fail(ErrorKind::storage, "{}: no line '{}' (expected one with a number)", path, key);
}

}  // namespace

ResidentMemory resident_memory() {
    constexpr const char* status = "/proc/self/status";
    return {.bytes = number_in(status, "VmRSS:") * kibibyte,
            .peak_bytes = number_in(status, "VmHWM:") * kibibyte};
}

std::int64_t proportional_memory() {
    return number_in("/proc/self/smaps_rollup", "Pss:") * kibibyte;
}

void forget_peak() {
    std::ofstream file("/proc/self/clear_refs");
    file << "5" << std::flush;
    require(file.good(),
            ErrorKind::storage,
            "/proc/self/clear_refs: writing failed (expected that it resets the peak of memory)");
}

std::int64_t storage_bytes_read() {
    return number_in("/proc/self/io", "read_bytes:");
}

TouchedMemory::TouchedMemory(std::int64_t bytes) : size_(static_cast<std::size_t>(bytes)) {
    if (size_ == 0) {
        return;
    }
    void* memory =
        ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    require(memory != MAP_FAILED,
            ErrorKind::resources,
            "memory: {} were refused: {}",
            format_bytes(bytes),
            std::strerror(errno));
    data_ = static_cast<std::byte*>(memory);
    ::madvise(memory, size_, MADV_HUGEPAGE);
    for (std::int64_t at = 0; at < bytes; at += page) {
        *const_cast<volatile std::byte*>(data_ + at) = std::byte{1};
    }
}

TouchedMemory::~TouchedMemory() {
    if (data_ != nullptr) {
        ::munmap(data_, size_);
    }
}

void touch_memory(std::int64_t bytes, const mpi::Communicator& world) {
    std::unique_ptr<TouchedMemory> memory;
    mpi::together(world, [&] { memory = std::make_unique<TouchedMemory>(bytes); });
    world.barrier();  // nobody takes pages that another has just given back
}

void read_every_page(std::span<const std::byte> memory) {
    const auto size = static_cast<std::int64_t>(memory.size());
    for (std::int64_t at = 0; at < size; at += page) {
        static_cast<void>(*const_cast<const volatile std::byte*>(memory.data() + at));
    }
    if (size > 0) {
        static_cast<void>(*const_cast<const volatile std::byte*>(memory.data() + size - 1));
    }
}

}  // namespace reelyard::cli
