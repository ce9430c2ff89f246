#include "file/byte_file.hpp"

#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reelyard/base/error.hpp"

namespace reelyard::store {
namespace {

[[noreturn]] void fail_with_errno(const std::filesystem::path& path, const char* what, int code) {
    const bool full = code == ENOSPC || code == EDQUOT || code == EFBIG;
    fail(full ? ErrorKind::resources : ErrorKind::storage,
         "{}: {} failed: {}{}",
         path.string(),
         what,
         std::strerror(code),
         full ? "; make room and run again" : "");
}

int open_file(const std::filesystem::path& path, ByteFile::Access access) {
    int flags = access == ByteFile::Access::read ? O_RDONLY : O_WRONLY;
    if (access == ByteFile::Access::create) {
        flags |= O_CREAT | O_TRUNC;
    }
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
    const int code = errno;
    require(fd >= 0 || access != ByteFile::Access::read,
            ErrorKind::input,
            "{}: cannot be opened: {}",
            path.string(),
            std::strerror(code));
    if (fd < 0) {
        fail_with_errno(path, "opening", code);
    }
    return fd;
}

}  // namespace

ByteFile::ByteFile(std::filesystem::path path, Access access)
    : path_(std::move(path))
    , fd_(open_file(path_, access)) {}

ByteFile::~ByteFile() {
    ::close(fd_);
}

std::int64_t ByteFile::size() const {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) {
        fail_with_errno(path_, "asking for its size", errno);
    }
    require(S_ISREG(status.st_mode), ErrorKind::input, "{}: is not a regular file", path_.string());
    return status.st_size;
}

void ByteFile::read(std::int64_t offset, std::span<std::byte> into) const {
    while (!into.empty()) {
        const ssize_t done = ::pread(fd_, into.data(), into.size(), offset);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            fail_with_errno(path_, "reading", errno);
        }
        require(done > 0,
                ErrorKind::storage,
                "{}: ends at byte {} while {} more are wanted; it was cut short while in use",
                path_.string(),
                offset,
                into.size());
        offset += done;
        into = into.subspan(static_cast<std::size_t>(done));
    }
}

void ByteFile::write(std::int64_t offset, std::span<const std::byte> data) const {
    while (!data.empty()) {
        const ssize_t done = ::pwrite(fd_, data.data(), data.size(), offset);
        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            fail_with_errno(path_, "writing", errno);
        }
        offset += done;
        data = data.subspan(static_cast<std::size_t>(done));
    }
}

void ByteFile::reserve(std::int64_t size, std::int64_t allocated) const {
    if (::ftruncate(fd_, size) != 0) {
        fail_with_errno(path_, "giving it its size", errno);
    }
    // Some file systems cannot allocate ahead; they will say so when they are written to.
    const int code = ::posix_fallocate(fd_, 0, allocated);
    if (code != 0 && code != EOPNOTSUPP && code != EINVAL) {
        fail_with_errno(path_, "making room in it", code);
    }
}

void ByteFile::sync() const {
    if (::fsync(fd_) != 0) {
        fail_with_errno(path_, "syncing", errno);
    }
}

}  // namespace reelyard::store
