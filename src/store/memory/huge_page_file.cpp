#include "huge_page_file.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

namespace reelyard::store {
namespace {

using Words = std::array<char, 32>;

/// What the child is told and what it answers. It shares this process's memory and is therefore as
/// careful as a signal handler: system calls only, nothing that allocates or locks.
struct Attempt {
    Words user{};   ///< a line of uid_map(5)
    Words group{};  ///< a line of gid_map(5)
    int fd = -1;
    int error = 0;
    const char* step = "";
};

int refused(Attempt& attempt, const char* step) {
    attempt.error = errno;
    attempt.step = step;
    return 1;
}

bool write_words(const char* path, const char* words) {
    const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    const std::size_t length = std::strlen(words);
    const bool is_written = ::write(fd, words, length) == static_cast<ssize_t>(length);
    const int error = errno;
    ::close(fd);
    errno = error;
    return is_written;
}

/// Runs in a user and a mount namespace of its own; the table of open files is the parent's.
int open_in_own_mount(void* argument) {
    Attempt& attempt = *static_cast<Attempt*>(argument);
    // Without privileges the group can only be mapped when groups cannot be set any more.
    if (!write_words("/proc/self/setgroups", "deny") ||
        !write_words("/proc/self/uid_map", attempt.user.data()) ||
        !write_words("/proc/self/gid_map", attempt.group.data())) {
        return refused(attempt, "user namespace");
    }
    // Nobody else sees this mount; /proc is a place that was there a moment ago. What may be used
    // is limited by the job's memory, not by the mount.
    if (::mount("tmpfs", "/proc", "tmpfs", MS_NOSUID | MS_NODEV, "huge=advise,size=100%") != 0) {
        return refused(attempt, "tmpfs with huge pages");
    }
    attempt.fd = ::open("/proc", O_TMPFILE | O_RDWR | O_CLOEXEC, S_IRUSR | S_IWUSR);
    return attempt.fd < 0 ? refused(attempt, "file in memory") : 0;
}

/// Waits until the child has ended: it uses this process's memory and has no thread of its own.
void run_child(Attempt& attempt) {
    constexpr std::size_t stack_bytes = 64 * kibibyte;
    const auto stack = std::make_unique<std::byte[]>(stack_bytes);
    const int child =
        ::clone(open_in_own_mount,
                stack.get() + stack_bytes,
                CLONE_VM | CLONE_VFORK | CLONE_FILES | CLONE_NEWUSER | CLONE_NEWNS | SIGCHLD,
                &attempt);
    if (child < 0) {
        refused(attempt, "user namespace");
        return;
    }
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
}

}  // namespace

int open_huge_page_file(std::int64_t bytes) {
    Attempt attempt;
    std::snprintf(attempt.user.data(), attempt.user.size(), "0 %u 1", ::geteuid());
    std::snprintf(attempt.group.data(), attempt.group.size(), "0 %u 1", ::getegid());
    run_child(attempt);
    if (attempt.fd >= 0 && ::ftruncate(attempt.fd, bytes) != 0) {
        refused(attempt, "room");
        ::close(attempt.fd);
        attempt.fd = -1;
    }
    require(attempt.fd >= 0,
            ErrorKind::resources,
            "shared memory in huge pages: {}: {}",
            attempt.step,
            std::strerror(attempt.error));
    return attempt.fd;
}

}  // namespace reelyard::store
