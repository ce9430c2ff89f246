#include "stage/part_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"

#include "file/byte_file.hpp"
#include "transport/file_system_kind.hpp"

namespace reelyard::store {
namespace {

constexpr std::string_view ending = ".staging";

/// Makes and locks a file of a name that is not taken; the name replaces the X of `path`.
int make_locked(std::string& path) {
    const std::string pattern = path;
    for (;;) {
        path = pattern;
        const int fd = ::mkostemps(path.data(), static_cast<int>(ending.size()), O_CLOEXEC);
        require(
            fd >= 0, ErrorKind::storage, "{}: cannot be made: {}", pattern, std::strerror(errno));
        // Where there are no locks, leftovers stay.
        ::flock(fd, LOCK_EX);
        struct stat status {};
        if (::fstat(fd, &status) != 0 || status.st_nlink > 0) {
            return fd;
        }
        ::close(fd);  // removed as a leftover before it was locked
    }
}

bool is_part(const std::filesystem::path& path) {
    const std::string name = path.filename().string();
    return name.starts_with('.') && name.ends_with(ending);
}

}  // namespace

PartFile::PartFile(const std::filesystem::path& folder, const std::string& name, std::int64_t bytes)
    : in_memory_(file_system_of(folder).in_memory) {
    std::string path = (folder / fmt::format(".{}.XXXXXX{}", name, ending)).string();
    fd_ = make_locked(path);
    path_ = path;
    try {
        // In memory, making room ahead would be writing everything twice.
        ByteFile(path_, ByteFile::Access::write).reserve(bytes, in_memory_ ? 0 : bytes);
    } catch (const Error&) {
        ::unlink(path_.c_str());
        ::close(fd_);
        throw;
    }
}

PartFile::~PartFile() {
    if (!path_.empty()) {
        ::unlink(path_.c_str());
    }
    ::close(fd_);
}

void PartFile::publish(const std::filesystem::path& as, bool all_may_read) {
    if (!in_memory_) {
        ByteFile(path_, ByteFile::Access::write).sync();
    }
    const mode_t mode = all_may_read ? 0644 : 0600;
    require(::fchmod(fd_, mode) == 0,
            ErrorKind::storage,
            "{}: giving it its permissions failed: {}",
            path_.string(),
            std::strerror(errno));
    posix_file_system().rename(path_, as);
    path_.clear();
}

void remove_leftover_parts(const std::filesystem::path& folder) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
        if (!is_part(entry.path())) {
            continue;
        }
        const int fd = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) {
            ::unlink(entry.path().c_str());
        }
        if (fd >= 0) {
            ::close(fd);
        }
    }
}

}  // namespace reelyard::store
