#include "page_cache.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

namespace reelyard::cli {
namespace {

/// A file opened for reading.
class OpenFile {
public:
    explicit OpenFile(const std::filesystem::path& path)
        : path_(path)
        , fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
        require(fd_ >= 0, ErrorKind::input, "{}: {}", path.string(), std::strerror(errno));
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() { ::close(fd_); }

    [[nodiscard]] int fd() const { return fd_; }

    [[nodiscard]] struct ::stat status() const {
        struct ::stat status {};
        expect(::fstat(fd_, &status) == 0, "fstat", errno);
        return status;
    }

    void expect(bool succeeded, const char* call, int error) const {
        require(succeeded,
                ErrorKind::storage,
                "{}: {} failed: {}",
                path_.string(),
                call,
                std::strerror(error));
    }

private:
    std::filesystem::path path_;
    int fd_;
};

/// Pages of [begin, end) of a file that are in the page cache.
std::int64_t resident_pages(const OpenFile& file, std::int64_t begin, std::int64_t end) {
    const std::int64_t page = ::sysconf(_SC_PAGESIZE);
    const auto length = static_cast<std::size_t>(end - begin);
    void* view = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, file.fd(), begin);
    file.expect(view != MAP_FAILED, "mmap", errno);
    std::vector<unsigned char> pages(static_cast<std::size_t>((end - begin + page - 1) / page));
    const bool told = ::mincore(view, length, pages.data()) == 0;
    const int error = errno;
    ::munmap(view, length);
    file.expect(told, "mincore", error);
    return std::count_if(
        pages.begin(), pages.end(), [](unsigned char flags) { return (flags & 1U) != 0; });
}

}  // namespace

void drop_from_page_cache(const std::filesystem::path& file) {
    const OpenFile open(file);
    open.expect(::fsync(open.fd()) == 0, "fsync", errno);
    const int code = ::posix_fadvise(open.fd(), 0, 0, POSIX_FADV_DONTNEED);
    open.expect(code == 0, "posix_fadvise", code);
}

std::optional<double> resident_fraction(const std::filesystem::path& file) {
    const OpenFile open(file);
    const auto status = open.status();
    const bool is_told =
        status.st_uid == ::geteuid() || ::geteuid() == 0 || ::access(file.c_str(), W_OK) == 0;
    if (!is_told) {
        return std::nullopt;
    }
    constexpr std::int64_t window = gibibyte;
    const std::int64_t size = status.st_size;
    std::int64_t resident = 0;
    for (std::int64_t begin = 0; begin < size; begin += window) {
        resident += resident_pages(open, begin, std::min(begin + window, size));
    }
    const std::int64_t page = ::sysconf(_SC_PAGESIZE);
    const std::int64_t pages = (size + page - 1) / page;
    return pages == 0 ? 0.0 : static_cast<double>(resident) / static_cast<double>(pages);
}

}  // namespace reelyard::cli
