#include "touched_memory.hpp"

#include <cerrno>
#include <cstring>
#include <memory>

#include <sys/mman.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"

namespace reelyard::cli {
namespace {

constexpr std::int64_t page = 4 * kibibyte;

}  // namespace

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
