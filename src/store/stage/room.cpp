#include "stage/room.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"
#include "reelyard/device/memory_usage.hpp"

#include "transport/file_system_kind.hpp"

namespace reelyard::store {

std::int64_t free_bytes(const std::filesystem::path& folder) {
    struct statvfs status {};
    require(::statvfs(folder.c_str(), &status) == 0,
            ErrorKind::storage,
            "{}: asking for its room failed: {}",
            folder.string(),
            std::strerror(errno));
    const auto free = static_cast<std::int64_t>(status.f_bavail * status.f_frsize);
    return file_system_of(folder).in_memory ? std::min(free, device::available_host_bytes()) : free;
}

void make_private_folder(const std::filesystem::path& folder) {
    if (folder.has_parent_path()) {
        make_folders(folder.parent_path());
    }
    require(::mkdir(folder.c_str(), S_IRWXU) == 0 || errno == EEXIST,
            ErrorKind::storage,
            "{}: cannot be made: {}",
            folder.string(),
            std::strerror(errno));
}

}  // namespace reelyard::store
