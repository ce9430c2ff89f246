#pragma once

#include <filesystem>
#include <memory>

#include "reelyard/base/file_system.hpp"
#include "reelyard/journal/record.hpp"

namespace reelyard::journal {

/// Appends records to a manifest. Only one at a time may write to a file: hold the FolderLock.
class ManifestWriter {
public:
    /// Makes the file when it is missing; cuts off a last line that a crash left without its end.
    /// \param files outlives the writer
    explicit ManifestWriter(std::filesystem::path path, FileSystem& files = posix_file_system());

    /// Returns when the record is on the disk. What a failed call left in the file counts for
    /// nothing, and the next call goes on behind the last whole record.
    /// \param record of a task that is done or failed; its files are on the disk already
    /// \throws Error (resources when the disk is full, storage otherwise)
    void append(const Record& record);

private:
    void open();

    std::filesystem::path path_;
    FileSystem& files_;
    std::unique_ptr<WritableFile> file_;  ///< none after a failed append
};

}  // namespace reelyard::journal
