#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace reelyard::store {

/// A file in the making, under a name of its own that begins with a dot; removed unless it is
/// published. A lock tells it from what a killed program has left behind.
class PartFile {
public:
    /// \throws Error (resources when there is no room, storage otherwise)
    PartFile(const std::filesystem::path& folder, const std::string& name, std::int64_t bytes);
    PartFile(const PartFile&) = delete;
    PartFile& operator=(const PartFile&) = delete;
    ~PartFile();

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// Gives it its name, in place of what has that name now, when its bytes are on the disk. To be
    /// called when all have written. \param all_may_read or only this user
    void publish(const std::filesystem::path& as, bool all_may_read);

private:
    std::filesystem::path path_;
    int fd_ = -1;
    bool in_memory_ = false;  // its folder: there is no disk
};

/// Removes the files in the making that nobody makes any more.
void remove_leftover_parts(const std::filesystem::path& folder);

}  // namespace reelyard::store
