#include "host_buffer.hpp"

#include <cerrno>
#include <cstring>

#include <sys/mman.h>
#include <unistd.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

namespace reelyard::store {
namespace {

constexpr std::int64_t huge_page = 2 * mebibyte;

}  // namespace

HostBuffer::HostBuffer(std::int64_t bytes) : bytes_(bytes) {
    if (bytes_ == 0) {
        return;
    }
    void* memory = ::mmap(nullptr,
                          static_cast<std::size_t>(bytes_),
                          PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS,
                          -1,
                          0);
    require(memory != MAP_FAILED,
            ErrorKind::resources,
            "memory: {} for weights were refused: {}",
            format_bytes(bytes_),
            std::strerror(errno));
    data_ = static_cast<std::byte*>(memory);
    if (bytes_ >= huge_page) {
        ::madvise(memory, static_cast<std::size_t>(bytes_), MADV_HUGEPAGE);
    }
}

HostBuffer::~HostBuffer() {
    if (data_ != nullptr) {
        ::munmap(data_, static_cast<std::size_t>(bytes_));
    }
}

void HostBuffer::discard_until(std::int64_t end) {
    // In steps of huge pages, so that none is split.
    const std::int64_t until = end / huge_page * huge_page;
    if (until > discarded_) {
        ::madvise(data_ + discarded_, static_cast<std::size_t>(until - discarded_), MADV_DONTNEED);
        discarded_ = until;
    }
}

}  // namespace reelyard::store
