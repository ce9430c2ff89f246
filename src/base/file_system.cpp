#include "reelyard/base/file_system.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <unistd.h>

#include "reelyard/base/error.hpp"

namespace reelyard {
namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail_with_errno(const fs::path& path, const char* what, int code) {
    const bool full = code == ENOSPC || code == EDQUOT;
    fail(full ? ErrorKind::resources : ErrorKind::storage,
         "{}: {} failed: {}{}",
         path.string(),
         what,
         std::strerror(code),
         full ? "; make room and run again" : "");
}

class FileDescriptor {
public:
    FileDescriptor(const fs::path& path, int flags)
        : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {
        if (fd_ < 0) {
            fail_with_errno(path, "opening", errno);
        }
    }
    FileDescriptor(const FileDescriptor&) = delete;
    FileDescriptor& operator=(const FileDescriptor&) = delete;
    ~FileDescriptor() { ::close(fd_); }
    [[nodiscard]] int get() const { return fd_; }

private:
    int fd_;
};

class PosixWritableFile final : public WritableFile {
public:
    PosixWritableFile(fs::path path, int flags) : path_(std::move(path)), file_(path_, flags) {}

    void write(std::span<const std::byte> data) override {
        while (!data.empty()) {
            const ssize_t done = ::write(file_.get(), data.data(), data.size());
            if (done < 0 && errno == EINTR) {
                continue;
            }
            if (done < 0) {
                fail_with_errno(path_, "writing", errno);
            }
            data = data.subspan(static_cast<std::size_t>(done));
        }
    }

    void sync() override {
        if (::fsync(file_.get()) != 0) {
            fail_with_errno(path_, "syncing", errno);
        }
    }

private:
    fs::path path_;
    FileDescriptor file_;
};

class PosixFileSystem final : public FileSystem {
public:
    std::unique_ptr<WritableFile> open(const fs::path& path, Mode mode) override {
        const int how = mode == Mode::append ? O_APPEND : O_TRUNC;
        return std::make_unique<PosixWritableFile>(path, O_WRONLY | O_CREAT | how);
    }

    void rename(const fs::path& from, const fs::path& to) override {
        if (::rename(from.c_str(), to.c_str()) != 0) {
            fail_with_errno(to, "renaming the finished file", errno);
        }
        sync(to.has_parent_path() ? to.parent_path() : fs::path("."));
    }

    void sync(const fs::path& folder) override {
        const FileDescriptor file(folder, O_RDONLY | O_DIRECTORY);
        // Some file systems refuse to sync folders; they order renames themselves.
        if (::fsync(file.get()) != 0 && errno != EINVAL && errno != ENOTSUP) {
            fail_with_errno(folder, "syncing", errno);
        }
    }

    void remove(const fs::path& path) override {
        std::error_code code;
        fs::remove(path, code);
        if (code) {
            fail_with_errno(path, "removing", code.value());
        }
    }

    std::vector<std::string> list(const fs::path& folder) override {
        std::error_code code;
        std::vector<std::string> names;
        for (fs::directory_iterator it(folder, code), end; !code && it != end; it.increment(code)) {
            names.push_back(it->path().filename().string());
        }
        if (code && code != std::errc::no_such_file_or_directory) {
            fail_with_errno(folder, "listing", code.value());
        }
        std::sort(names.begin(), names.end());
        return names;
    }
};

}  // namespace

FileSystem& posix_file_system() {
    static PosixFileSystem instance;  // stateless
    return instance;
}

std::string read_text_file(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    require(stream.good() && !fs::is_directory(path),
            ErrorKind::input,
            "{}: cannot be opened ({})",
            path.string(),
            fs::is_directory(path) ? "it is a folder" : std::strerror(errno));
    std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
    require(!stream.bad(), ErrorKind::storage, "{}: reading failed", path.string());
    return text;
}

void make_folders(const fs::path& folder) {
    std::error_code code;
    fs::create_directories(folder, code);
    if (code) {
        fail_with_errno(folder, "making the folder", code.value());
    }
}

}  // namespace reelyard
