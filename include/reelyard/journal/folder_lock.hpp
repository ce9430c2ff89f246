#pragma once

#include <filesystem>

namespace reelyard::journal {

/// Keeps other runs out of an output folder as long as it lives. One rank holds it for its job.
///
/// The lock is the kernel's (flock), which lets go of it when a process ends, however it ends: a
/// run that crashed is in nobody's way. On file systems without such locks the file "run.lock"
/// counts by its being there, and one that was left behind on another machine has to be removed by
/// hand.
class FolderLock {
public:
    enum class Locks { kernel, by_presence };

    /// \param locks by_presence: as on a file system without locks
    /// \throws Error (resources) telling which process of which machine works in the folder
    explicit FolderLock(const std::filesystem::path& folder, Locks locks = Locks::kernel);
    ~FolderLock();
    FolderLock(const FolderLock&) = delete;
    FolderLock& operator=(const FolderLock&) = delete;

private:
    std::filesystem::path path_;
    int descriptor_ = -1;
};

}  // namespace reelyard::journal
