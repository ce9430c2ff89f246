#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "reelyard/store/transport/transport.hpp"

namespace reelyard::store {

/// How a file system serves many readers.
enum class FileSystemKind {
    local,       ///< a disk or the memory of this node
    parallel,    ///< many servers that share the work: Lustre, GPFS, BeeGFS, CephFS
    network,     ///< one server for all: NFS, SMB
    user_space,  ///< FUSE: some program serves it
    unknown
};

struct FileSystemType {
    FileSystemKind kind = FileSystemKind::unknown;
    std::string name;        ///< for the user: "ext4", "Lustre", "NFS", "sshfs (FUSE)"
    bool in_memory = false;  ///< its files are memory of this node
};

/// The file system that `path` lies on; unknown when the system does not tell.
[[nodiscard]] FileSystemType file_system_of(const std::filesystem::path& path);

/// The type of the mount that `path` lies below, as "ext4", "fuse.sshfs"; empty when there is none.
/// \param mountinfo the text of /proc/self/mountinfo (proc(5)) \param path absolute, without links
[[nodiscard]] std::string mounted_type(std::string_view mountinfo,
                                       const std::filesystem::path& path);

/// \param magic f_type of statfs(2) \param mounted as mounted_type() gives it; decides where
/// several types share a number
[[nodiscard]] FileSystemType file_system_type(std::uint64_t magic, std::string_view mounted);

/// The transport that suits a file system.
/// \param nodes how many nodes read at once
[[nodiscard]] TransportChoice transport_for(const FileSystemType& type, int nodes);

}  // namespace reelyard::store
