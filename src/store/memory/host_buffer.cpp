#include "memory/host_buffer.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <sys/mman.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"

#include "host_name.hpp"
#include "memory/page.hpp"
#include "memory/shared_file.hpp"

namespace reelyard::store {
namespace {

constexpr std::int64_t huge_page = 2 * mebibyte;

std::byte* map(std::int64_t bytes, int flags, int fd) {
    void* memory =
        ::mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE, flags, fd, 0);
    require(memory != MAP_FAILED,
            ErrorKind::resources,
            "memory: {} for weights were refused: {}",
            format_bytes(bytes),
            std::strerror(errno));
    if (bytes >= huge_page) {
        ::madvise(memory, static_cast<std::size_t>(bytes), MADV_HUGEPAGE);
    }
    return static_cast<std::byte*>(memory);
}

}  // namespace

HostBuffer::HostBuffer(std::int64_t bytes) : bytes_(bytes) {
    if (bytes_ > 0) {
        data_ = map(bytes_, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    }
}

HostBuffer HostBuffer::shared(std::int64_t bytes, const mpi::Communicator& node) {
    HostBuffer buffer;
    buffer.bytes_ = bytes;
    if (bytes == 0) {
        return buffer;
    }
    const SharedFile file(bytes, node);
    mpi::together(node, [&] { buffer.data_ = map(bytes, MAP_SHARED, file.fd()); });
    buffer.small_pages_reason_ = file.small_pages_reason();
    return buffer;
}

HostBuffer::HostBuffer(HostBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr))
    , bytes_(std::exchange(other.bytes_, 0))
    , small_pages_reason_(std::move(other.small_pages_reason_)) {}

HostBuffer& HostBuffer::operator=(HostBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
    std::swap(small_pages_reason_, other.small_pages_reason_);
    return *this;
}

HostBuffer::~HostBuffer() {
    if (data_ != nullptr) {
        ::munmap(data_, static_cast<std::size_t>(bytes_));
    }
}

void populate(std::span<std::byte> memory) {
#ifdef MADV_POPULATE_WRITE
    if (memory.empty()) {
        return;
    }
    const auto in_page = reinterpret_cast<std::intptr_t>(memory.data()) % page;
    const std::int64_t bytes = align_up(in_page + static_cast<std::int64_t>(memory.size()), page);
    const int status =
        ::madvise(memory.data() - in_page, static_cast<std::size_t>(bytes), MADV_POPULATE_WRITE);
    // Older kernels do not know it, and some memory cannot be made present ahead.
    require(status == 0 || (errno != EFAULT && errno != ENOMEM),
            ErrorKind::resources,
            "{}: memory for weights ran out ({}); /dev/shm or the node's memory is full",
            host_name(),
            std::strerror(errno));
#else
    (void)memory;
#endif
}

}  // namespace reelyard::store
