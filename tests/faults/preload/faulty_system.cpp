// A library for LD_PRELOAD: a machine whose storage or memory fails. What fails is told by the
// environment:
//
// FAULTY_RANK   the only rank that is faulty; without it all are
// FAULTY_FILE   text in the path of the file that is read or made badly
// FAULTY_READS  fail: reads of FAULTY_BYTE report a broken disk
//               kill: whoever reads FAULTY_BYTE is killed
//               stop: whoever reads FAULTY_BYTE stops and never goes on
//               short: every read delivers a third of what was asked for, rounded up
//               interrupt: every other read is interrupted by a signal before it begins
//               refuse_direct: reads around the page cache are refused
// FAULTY_OPEN   refuse_direct: opening for reads around the page cache is refused
//               full: there is no room for a new file
//               stop: whoever makes a file stops and never goes on
// FAULTY_BYTE   an offset in the file; without it short and interrupt mean all reads, with it those
// of what lies behind FAULTY_ROOM   bytes that a file system in memory has free, as far as it is
// asked about FAULTY_PAGES  refuse: making pages present fails FAULTY_MEMORY a file that takes the
// place of /proc/meminfo

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace {

constexpr std::size_t most_files = 65536;
constexpr decltype(statfs::f_type) tmpfs_magic = 0x01021994;

/// What the environment says; empty when it says nothing.
std::string_view setting(const char* name) {
    const char* const rank = std::getenv("FAULTY_RANK");
    const char* const own_rank = std::getenv("OMPI_COMM_WORLD_RANK");
    const bool is_spared =
        rank != nullptr && (own_rank == nullptr || std::string_view(rank) != own_rank);
    const char* const value = is_spared ? nullptr : std::getenv(name);
    return value != nullptr ? value : "";
}

/// The function that this library stands before.
template <typename Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

// Which of the open files are read badly. No function holds it, as it is needed before main().
constinit std::array<std::atomic<bool>, most_files> is_faulty{};

bool reads_badly(int fd) {
    return fd >= 0 && static_cast<std::size_t>(fd) < most_files &&
           is_faulty[static_cast<std::size_t>(fd)];
}

bool is_direct(int fd) {
    return (::fcntl(fd, F_GETFL) & O_DIRECT) != 0;
}

/// \returns the opened file, after a look at its name
int watch(int fd, const char* path) {
    const std::string_view name = setting("FAULTY_FILE");
    if (fd >= 0 && static_cast<std::size_t>(fd) < most_files) {
        is_faulty[static_cast<std::size_t>(fd)] =
            !name.empty() && std::string_view(path).find(name) != std::string_view::npos;
    }
    return fd;
}

/// What opening a file is to fail with; 0 when it is to go on.
int error_of_open(const char* path, int flags) {
    const std::string_view opening = setting("FAULTY_OPEN");
    if (opening.empty() ||
        std::string_view(path).find(setting("FAULTY_FILE")) == std::string_view::npos) {
        return 0;
    }
    if ((flags & O_DIRECT) != 0 && opening == "refuse_direct") {
        return EINVAL;
    }
    if ((flags & O_CREAT) != 0 && opening == "stop") {
        ::kill(::getpid(), SIGSTOP);
    }
    return (flags & O_CREAT) != 0 && opening == "full" ? ENOSPC : 0;
}

/// The place of the fault in the file; its beginning when none is told.
off_t faulty_byte() {
    const std::string_view text = setting("FAULTY_BYTE");
    return text.empty() ? 0 : std::atoll(text.data());
}

/// What a read is to fail with; 0 when it is to go on.
int error_of_read(int fd, off_t offset, std::size_t bytes) {
    thread_local bool is_next_interrupted = false;
    const std::string_view reads = setting("FAULTY_READS");
    const bool ends_behind = offset + static_cast<off_t>(bytes) > faulty_byte();
    if (!reads_badly(fd) || bytes == 0 || !ends_behind) {
        return 0;
    }
    const bool holds_faulty_byte = offset <= faulty_byte();
    if (reads == "kill" && holds_faulty_byte) {
        ::kill(::getpid(), SIGKILL);
    }
    if (reads == "stop" && holds_faulty_byte) {
        ::kill(::getpid(), SIGSTOP);
    }
    if (reads == "fail" && holds_faulty_byte) {
        return EIO;
    }
    if (reads == "refuse_direct" && is_direct(fd)) {
        return EINVAL;
    }
    if (reads == "interrupt") {
        is_next_interrupted = !is_next_interrupted;
        return is_next_interrupted ? EINTR : 0;
    }
    return 0;
}

std::size_t allowed_bytes(int fd, std::size_t bytes, off_t offset) {
    const bool is_short = reads_badly(fd) && setting("FAULTY_READS") == "short" &&
                          offset + static_cast<off_t>(bytes) > faulty_byte();
    return is_short ? (bytes + 2) / 3 : bytes;
}

std::size_t total_bytes(const iovec* parts, int count) {
    std::size_t bytes = 0;
    for (int i = 0; i < count; ++i) {
        bytes += parts[i].iov_len;
    }
    return bytes;
}

}  // namespace

extern "C" {

int open(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = va_arg(more, mode_t);
    va_end(more);
    if (const int code = error_of_open(path, flags); code != 0) {
        errno = code;
        return -1;
    }
    static auto* const real = next<int(const char*, int, ...)>("open");
    return watch(real(path, flags, mode), path);
}

int close(int fd) {
    watch(fd, "");
    static auto* const real = next<int(int)>("close");
    return real(fd);
}

ssize_t pread(int fd, void* into, std::size_t bytes, off_t offset) {
    if (const int code = error_of_read(fd, offset, bytes); code != 0) {
        errno = code;
        return -1;
    }
    static auto* const real = next<ssize_t(int, void*, std::size_t, off_t)>("pread");
    return real(fd, into, allowed_bytes(fd, bytes, offset), offset);
}

ssize_t preadv(int fd, const iovec* parts, int count, off_t offset) {
    const std::size_t bytes = total_bytes(parts, count);
    if (const int code = error_of_read(fd, offset, bytes); code != 0) {
        errno = code;
        return -1;
    }
    if (allowed_bytes(fd, bytes, offset) < bytes) {
        return pread(fd, parts->iov_base, parts->iov_len, offset);  // of the first part alone
    }
    static auto* const real = next<ssize_t(int, const iovec*, int, off_t)>("preadv");
    return real(fd, parts, count, offset);
}

int fstatvfs(int fd, struct statvfs* status) {
    static auto* const real = next<int(int, struct statvfs*)>("fstatvfs");
    const int code = real(fd, status);
    struct statfs type {};
    if (const std::string_view room = setting("FAULTY_ROOM");
        code == 0 && !room.empty() && ::fstatfs(fd, &type) == 0 && type.f_type == tmpfs_magic) {
        status->f_bavail = std::strtoull(room.data(), nullptr, 10) / status->f_frsize;
    }
    return code;
}

int madvise(void* begin, std::size_t bytes, int advice) {
#ifdef MADV_POPULATE_WRITE
    if (advice == MADV_POPULATE_WRITE && setting("FAULTY_PAGES") == "refuse") {
        errno = EFAULT;
        return -1;
    }
#endif
    static auto* const real = next<int(void*, std::size_t, int)>("madvise");
    return real(begin, bytes, advice);
}

FILE* fopen64(const char* path, const char* mode) {
    static auto* const real = next<FILE*(const char*, const char*)>("fopen64");
    const std::string_view memory = setting("FAULTY_MEMORY");
    return real(!memory.empty() && std::string_view(path) == "/proc/meminfo" ? memory.data() : path,
                mode);
}

// The names of the same for programs with the other kind of file offsets.

int open64(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const mode_t mode = va_arg(more, mode_t);
    va_end(more);
    return open(path, flags, mode);
}

ssize_t pread64(int fd, void* into, std::size_t bytes, off64_t offset) {
    return pread(fd, into, bytes, offset);
}

ssize_t preadv64(int fd, const iovec* parts, int count, off64_t offset) {
    return preadv(fd, parts, count, offset);
}

}  // extern "C"
