#include "host_buffer.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"

#include "host_name.hpp"
#include "page.hpp"

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

/// A file in /dev/shm that exists until this object goes; what is mapped then stays.
class SharedFile {
public:
    SharedFile(std::string name, int flags)
        : name_(std::move(name))
        , is_own_((flags & O_CREAT) != 0)
        , fd_(::shm_open(name_.c_str(), flags | O_RDWR, 0600)) {
        require(fd_ >= 0,
                ErrorKind::resources,
                "{}: shared memory was refused: {}",
                host_name(),
                std::strerror(errno));
    }
    SharedFile(const SharedFile&) = delete;
    SharedFile& operator=(const SharedFile&) = delete;
    ~SharedFile() {
        ::close(fd_);
        if (is_own_) {
            ::shm_unlink(name_.c_str());
        }
    }

    void make_room(std::int64_t bytes) const {
        struct statvfs status {};
        require(::fstatvfs(fd_, &status) == 0 && ::ftruncate(fd_, bytes) == 0,
                ErrorKind::resources,
                "{}: shared memory was refused: {}",
                host_name(),
                std::strerror(errno));
        const auto free = static_cast<std::int64_t>(status.f_bavail * status.f_frsize);
        require(free >= bytes,
                ErrorKind::resources,
                "{}: /dev/shm has {} free of the {} that one shared copy needs",
                host_name(),
                format_bytes(free),
                format_bytes(bytes));
    }
    [[nodiscard]] int fd() const { return fd_; }

private:
    std::string name_;
    bool is_own_;
    int fd_;
};

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
    std::optional<SharedFile> file;
    const std::string name = mpi::on_root(node, [&] {
        std::string chosen =
            "/reelyard-" + std::to_string(::getpid()) + "-" +
            std::to_string(std::chrono::steady_clock::now().time_since_epoch().count());
        file.emplace(chosen, O_CREAT | O_EXCL);
        file->make_room(bytes);
        return chosen;
    });
    mpi::together(node, [&] {
        if (!file) {
            file.emplace(name, 0);
        }
        buffer.data_ = map(bytes, MAP_SHARED, file->fd());
    });
    return buffer;
}

HostBuffer::HostBuffer(HostBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr))
    , bytes_(std::exchange(other.bytes_, 0)) {}

HostBuffer& HostBuffer::operator=(HostBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
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
            "{}: memory for weights ran out ({}); /dev/shm may be full",
            host_name(),
            std::strerror(errno));
#else
    (void)memory;
#endif
}

}  // namespace reelyard::store
