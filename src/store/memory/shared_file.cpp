#include "shared_file.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"
#include "reelyard/mpi/agreement.hpp"

#include "host_name.hpp"
#include "memory/huge_page_file.hpp"

namespace reelyard::store {
namespace {

// Below it, an own mount would cost more than huge pages save.
constexpr std::int64_t least_bytes_for_huge_pages = 32 * mebibyte;

/// \param is_given what the last system call said; its errno tells why it is not
void require_given(bool is_given) {
    require(is_given,
            ErrorKind::resources,
            "{}: shared memory was refused: {}",
            host_name(),
            std::strerror(errno));
}

void check_room(int fd, std::int64_t bytes) {
    struct statvfs status {};
    require_given(::fstatvfs(fd, &status) == 0 && ::ftruncate(fd, bytes) == 0);
    const auto free = static_cast<std::int64_t>(status.f_bavail * status.f_frsize);
    require(free >= bytes,
            ErrorKind::resources,
            "{}: /dev/shm has {} free of the {} that one shared copy needs",
            host_name(),
            format_bytes(free),
            format_bytes(bytes));
}

/// A name in /dev/shm that exists until this object goes.
struct SharedName {
    SharedName() = default;
    SharedName(const SharedName&) = delete;
    SharedName& operator=(const SharedName&) = delete;
    ~SharedName() {
        if (!text.empty()) {
            ::shm_unlink(text.c_str());
        }
    }
    std::string text;  ///< empty: none
};

int open_shared(const std::string& name, int flags) {
    const int fd = ::shm_open(name.c_str(), flags | O_RDWR, S_IRUSR | S_IWUSR);
    require_given(fd >= 0);
    return fd;
}

/// What no other file of the node has.
std::string identity_of(int fd) {
    struct stat status {};
    require_given(::fstat(fd, &status) == 0);
    return fmt::format("{}:{}", status.st_dev, status.st_ino);
}

}  // namespace

SharedFile::SharedFile(std::int64_t bytes, const mpi::Communicator& node) {
    if (bytes >= least_bytes_for_huge_pages) {
        try {
            open_with_huge_pages(bytes, node);
            return;
        } catch (const Error& error) {
            close();
            if (error.kind() != ErrorKind::resources) {
                throw;
            }
            small_pages_reason_ = error.message();
        }
    }
    try {
        open_in_dev_shm(bytes, node);
    } catch (...) {
        close();
        throw;
    }
}

SharedFile::~SharedFile() {
    close();
}

void SharedFile::close() {
    if (fd_ >= 0) {
        ::close(fd_);
        fd_ = -1;
    }
}

/// The others open it through the open files of the rank that has made it.
void SharedFile::open_with_huge_pages(std::int64_t bytes, const mpi::Communicator& node) {
    const std::string identity = mpi::on_root(node, [&] {
        fd_ = open_huge_page_file(bytes);
        return identity_of(fd_);
    });
    const std::string path =
        mpi::on_root(node, [&] { return fmt::format("/proc/{}/fd/{}", ::getpid(), fd_); });
    mpi::together(node, [&] {
        if (fd_ < 0) {
            fd_ = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
        }
        // Ranks in containers of their own may know another process by that number.
        require(fd_ >= 0 && identity_of(fd_) == identity,
                ErrorKind::resources,
                "{}: shared memory in huge pages: ranks cannot see each other's files in /proc",
                host_name());
    });
}

void SharedFile::open_in_dev_shm(std::int64_t bytes, const mpi::Communicator& node) {
    SharedName own;
    const std::string name = mpi::on_root(node, [&] {
        const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
        std::string chosen = fmt::format("/reelyard-{}-{}", ::getpid(), now);
        fd_ = open_shared(chosen, O_CREAT | O_EXCL);
        own.text = chosen;
        check_room(fd_, bytes);
        return chosen;
    });
    mpi::together(node, [&] {
        if (fd_ < 0) {
            fd_ = open_shared(name, 0);
        }
    });
}

}  // namespace reelyard::store
