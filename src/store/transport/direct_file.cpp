#include "transport/direct_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

#include "memory/host_buffer.hpp"

namespace reelyard::store {
namespace {

// Of file offset, memory and length of an O_DIRECT read. What asks for more refuses the first one.
constexpr std::int64_t alignment = 4096;
constexpr std::int64_t largest_read = 64 * mebibyte;

int open_for_reading(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    require(
        fd >= 0, ErrorKind::input, "{}: cannot be opened: {}", path.string(), std::strerror(errno));
    return fd;
}

/// Bytes from `value` to the next multiple of the alignment.
std::int64_t to_next(std::int64_t value) {
    return align_up(value, alignment) - value;
}

[[noreturn]] void fail_reading(const std::filesystem::path& path, const Extent& extent, int code) {
    require(code != EFAULT && code != ENOMEM,
            ErrorKind::resources,
            "{}: there is no memory for {} at byte {} ({}); /dev/shm or the node's memory is full",
            path.string(),
            format_bytes(static_cast<std::int64_t>(extent.into.size())),
            extent.offset,
            std::strerror(code));
    fail(ErrorKind::storage,
         "{}: reading {} bytes at byte {} failed: {}",
         path.string(),
         extent.into.size(),
         extent.offset,
         std::strerror(code));
}

}  // namespace

DirectFile::DirectFile(std::filesystem::path path)
    : path_(std::move(path))
    , buffered_(open_for_reading(path_))
    , direct_(::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT))
    , is_direct_(direct_ >= 0) {
    // Ragged edges alone go through the page cache: nothing around them is to be read ahead.
    ::posix_fadvise(buffered_, 0, 0, direct_ >= 0 ? POSIX_FADV_RANDOM : POSIX_FADV_SEQUENTIAL);
}

DirectFile::~DirectFile() {
    ::close(buffered_);
    if (direct_ >= 0) {
        ::close(direct_);
    }
}

std::int64_t DirectFile::read(Extent extent) {
    std::int64_t total = 0;
    while (!extent.into.empty()) {
        const Step step = next_step(extent);
        // In bulk this is cheaper than page by page while reading.
        populate(extent.into.first(step.bytes));
        const std::int64_t done = read_some(extent, step);
        extent.offset += done;
        extent.into = extent.into.subspan(static_cast<std::size_t>(done));
        total += done;
    }
    return total;
}

DirectFile::Step DirectFile::next_step(const Extent& extent) const {
    const auto left = static_cast<std::int64_t>(extent.into.size());
    const auto step = [&](bool direct, std::int64_t bytes) {
        return Step{.direct = direct,
                    .bytes = static_cast<std::size_t>(std::min({bytes, left, largest_read}))};
    };
    const std::int64_t head = to_next(extent.offset);
    if (!is_direct_ || head != to_next(reinterpret_cast<std::intptr_t>(extent.into.data()))) {
        return step(false, left);
    }
    if (head > 0) {
        return step(false, head);
    }
    const std::int64_t whole = left / alignment * alignment;
    return whole > 0 ? step(true, whole) : step(false, left);
}

std::int64_t DirectFile::read_some(const Extent& extent, Step step) {
    const ssize_t done =
        ::pread(step.direct ? direct_ : buffered_, extent.into.data(), step.bytes, extent.offset);
    if (done > 0) {
        return done;
    }
    require(done != 0,
            ErrorKind::storage,
            "{}: ends at byte {} while {} more are wanted; it was cut short while in use",
            path_.string(),
            extent.offset,
            extent.into.size());
    if (errno == EINVAL && step.direct) {
        give_up_direct();
    } else if (errno != EINTR) {
        fail_reading(path_, extent, errno);
    }
    return 0;
}

void DirectFile::give_up_direct() {
    is_direct_ = false;
    ::posix_fadvise(buffered_, 0, 0, POSIX_FADV_SEQUENTIAL);
}

}  // namespace reelyard::store
