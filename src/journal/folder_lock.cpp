#include "reelyard/journal/folder_lock.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>
#include <string>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"
#include "reelyard/base/log.hpp"

namespace reelyard::journal {
namespace {

namespace fs = std::filesystem;

/// Who holds or held a lock, as the file says.
struct Holder {
    std::string host;
    pid_t process = 0;
    std::string since;
};

std::string host_name() {
    std::array<char, 256> name{};
    return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown";
}

std::string to_string(const std::optional<Holder>& holder) {
    return holder ? fmt::format(
                        "process {} on {}, since {}", holder->process, holder->host, holder->since)
                  : "one that has just started";
}

std::optional<Holder> read_holder(const fs::path& path) {
    try {
        const auto json = nlohmann::json::parse(read_text_file(path));
        return Holder{json.at("host"), json.at("process"), json.at("since")};
    } catch (const std::exception&) {
        return std::nullopt;  // not written yet, or just removed
    }
}

void write_holder(int descriptor, const fs::path& path) {
    const nlohmann::json json{{"host", host_name()}, {"process", getpid()}, {"since", utc_now()}};
    const std::string text = json.dump() + '\n';
    const bool written =
        ftruncate(descriptor, 0) == 0 &&
        pwrite(descriptor, text.data(), text.size(), 0) == static_cast<ssize_t>(text.size());
    require(written,
            errno == ENOSPC || errno == EDQUOT ? ErrorKind::resources : ErrorKind::storage,
            "{}: writing failed: {}",
            path.string(),
            std::strerror(errno));
}

/// A lock file that is open, and whether this call made it.
struct LockFile {
    int descriptor;
    bool is_new;
};

LockFile open_lock_file(const fs::path& path) {
    constexpr int flags = O_RDWR | O_CREAT | O_CLOEXEC;
    int descriptor = ::open(path.c_str(), flags | O_EXCL, 0644);
    const bool is_new = descriptor >= 0;
    if (!is_new && errno == EEXIST) {
        descriptor = ::open(path.c_str(), flags, 0644);
    }
    require(descriptor >= 0,
            ErrorKind::storage,
            "{}: opening failed: {}",
            path.string(),
            std::strerror(errno));
    return {descriptor, is_new};
}

enum class Answer { locked, held_by_other, no_locks_here };

Answer ask_kernel(int descriptor) {
    int code = 0;
    do {
        code = flock(descriptor, LOCK_EX | LOCK_NB);
    } while (code != 0 && errno == EINTR);
    if (code == 0) {
        return Answer::locked;
    }
    return errno == EWOULDBLOCK ? Answer::held_by_other : Answer::no_locks_here;
}

/// Whether the file is still the one that `path` names: a run that ends removes its own.
bool is_current(int descriptor, const fs::path& path) {
    struct stat opened {};
    struct stat named {};
    return fstat(descriptor, &opened) == 0 && stat(path.c_str(), &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

bool is_dead(const Holder& holder) {
    return holder.host == host_name() && kill(holder.process, 0) != 0 && errno == ESRCH;
}

/// \returns whether the lock was got; false: try again, the file has just been removed
bool take(const LockFile& file, const fs::path& path, FolderLock::Locks locks) {
    const auto holder = file.is_new ? std::nullopt : read_holder(path);
    const Answer answer =
        locks == FolderLock::Locks::kernel ? ask_kernel(file.descriptor) : Answer::no_locks_here;
    require(answer != Answer::held_by_other,
            ErrorKind::resources,
            "{}: another run works in this folder ({}); wait for its end or use another output.dir",
            path.string(),
            to_string(holder));
    if (answer == Answer::no_locks_here) {
        require(file.is_new || (holder && is_dead(*holder)),
                ErrorKind::resources,
                "{}: another run works in this folder ({}); if it has ended, remove this file",
                path.string(),
                to_string(holder));
    }
    if (!is_current(file.descriptor, path)) {
        return false;
    }
    if (holder) {
        log::info("The last run in {} ended before its work was done ({}).",
                  path.parent_path().string(),
                  to_string(holder));
    }
    return true;
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder, Locks locks) : path_(folder / "run.lock") {
    while (descriptor_ < 0) {
        const LockFile file = open_lock_file(path_);
        try {
            if (take(file, path_, locks)) {
                write_holder(file.descriptor, path_);
                descriptor_ = file.descriptor;
            }
        } catch (...) {
            close(file.descriptor);
            throw;
        }
        if (descriptor_ < 0) {
            close(file.descriptor);
        }
    }
}

FolderLock::~FolderLock() {
    if (unlink(path_.c_str()) != 0 && errno != ENOENT) {
        log::local_warning("{}: removing failed: {}", path_.string(), std::strerror(errno));
    }
    close(descriptor_);
}

}  // namespace reelyard::journal
