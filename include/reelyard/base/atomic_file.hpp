#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "reelyard/base/file_system.hpp"

namespace reelyard {

/// The name under which `path` is written before it is whole: same folder, leading dot, ".part" at
/// the end.
[[nodiscard]] std::filesystem::path partial_path(const std::filesystem::path& path);

/// Removes `path` when it goes out of scope, unless it was released: for temporary files that a
/// library writes.
class TemporaryFile {
public:
    explicit TemporaryFile(std::filesystem::path path, FileSystem& files = posix_file_system());
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// Syncs the file and gives it its final name. \throws Error (storage)
    void commit(const std::filesystem::path& final_path);

private:
    std::filesystem::path path_;
    FileSystem& files_;
    bool committed_ = false;
};

/// Writes `content` so that `path` is either untouched or whole: temporary file, sync, rename.
/// \throws Error (resources when the disk is full, storage otherwise)
void write_file_atomically(const std::filesystem::path& path,
                           std::string_view content,
                           FileSystem& files = posix_file_system());

}  // namespace reelyard
