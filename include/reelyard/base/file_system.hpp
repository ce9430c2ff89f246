#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace reelyard {

/// A file being written from start to end.
class WritableFile {
public:
    WritableFile() = default;
    WritableFile(const WritableFile&) = delete;
    WritableFile& operator=(const WritableFile&) = delete;
    virtual ~WritableFile() = default;

    /// Appends all of `data`. \throws Error (resources when the disk is full, storage otherwise)
    virtual void write(std::span<const std::byte> data) = 0;
    /// Returns when what was written is on the disk. \throws Error (storage)
    virtual void sync() = 0;
};

/// How durable state reaches the disk; tests put in one that forgets what was not synced, or is
/// full.
class FileSystem {
public:
    FileSystem() = default;
    FileSystem(const FileSystem&) = delete;
    FileSystem& operator=(const FileSystem&) = delete;
    virtual ~FileSystem() = default;

    enum class Mode { truncate, append };
    /// Opens `path` for writing. \throws Error (storage)
    [[nodiscard]] virtual std::unique_ptr<WritableFile> open(const std::filesystem::path& path,
                                                             Mode mode) = 0;
    /// Makes `to` name the file `from`, replacing what was there, and syncs the folder.
    virtual void rename(const std::filesystem::path& from, const std::filesystem::path& to) = 0;
    /// Removes a file or an empty folder; absence is no error.
    virtual void remove(const std::filesystem::path& path) = 0;
    /// Returns when the entries of `folder` (names, not contents) are on the disk.
    virtual void sync(const std::filesystem::path& folder) = 0;
    /// Names of the entries of a folder, sorted; empty when the folder does not exist.
    [[nodiscard]] virtual std::vector<std::string> list(const std::filesystem::path& folder) = 0;
};

/// The real one. Lives as long as the program.
[[nodiscard]] FileSystem& posix_file_system();

/// The whole content of a (small) file. \throws Error (input) naming the file
[[nodiscard]] std::string read_text_file(const std::filesystem::path& path);

/// Makes the folder and those above it. \throws Error (storage) naming the folder
void make_folders(const std::filesystem::path& folder);

}  // namespace reelyard
