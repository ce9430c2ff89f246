#include "transport/file_system_kind.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <optional>
#include <sstream>
#include <system_error>
#include <vector>

#include <sys/vfs.h>

#include "reelyard/base/format.hpp"

namespace reelyard::store {
namespace {

struct Known {
    std::uint64_t magic;       // f_type of statfs(2)
    std::string_view mounted;  // as /proc/self/mountinfo names it
    std::string_view name;
    FileSystemKind kind;
    bool in_memory = false;
};

constexpr std::uint64_t fuse_magic = 0x65735546;

// Numbers from statfs(2), linux/magic.h and, for those outside the kernel, GNU coreutils' stat.
constexpr std::array known_types{
    Known{0xef53, "ext4", "ext4", FileSystemKind::local},
    Known{0xef53, "ext3", "ext3", FileSystemKind::local},
    Known{0xef53, "ext2", "ext2", FileSystemKind::local},
    Known{0x58465342, "xfs", "XFS", FileSystemKind::local},
    Known{0x9123683e, "btrfs", "Btrfs", FileSystemKind::local},
    Known{0xf2f52010, "f2fs", "F2FS", FileSystemKind::local},
    Known{0x2fc12fc1, "zfs", "ZFS", FileSystemKind::local},
    Known{0xca451a4e, "bcachefs", "bcachefs", FileSystemKind::local},
    Known{0x3153464a, "jfs", "JFS", FileSystemKind::local},
    Known{0x52654973, "reiserfs", "ReiserFS", FileSystemKind::local},
    Known{0x2011bab0, "exfat", "exFAT", FileSystemKind::local},
    Known{0x73717368, "squashfs", "SquashFS", FileSystemKind::local},
    Known{0xe0f5e1e2, "erofs", "EROFS", FileSystemKind::local},
    Known{0x794c7630, "overlay", "overlayfs", FileSystemKind::local},
    Known{0x61756673, "aufs", "aufs", FileSystemKind::local},
    Known{0x01021994, "tmpfs", "tmpfs", FileSystemKind::local, true},
    Known{0x858458f6, "ramfs", "ramfs", FileSystemKind::local, true},
    Known{0x0bd00bd0, "lustre", "Lustre", FileSystemKind::parallel},
    Known{0x47504653, "gpfs", "GPFS", FileSystemKind::parallel},
    Known{0x19830326, "beegfs", "BeeGFS", FileSystemKind::parallel},
    Known{0x00c36400, "ceph", "CephFS", FileSystemKind::parallel},
    Known{0x6969, "nfs4", "NFS", FileSystemKind::network},
    Known{0x6969, "nfs", "NFS", FileSystemKind::network},
    Known{0xff534d42, "cifs", "SMB", FileSystemKind::network},
    Known{0xfe534d42, "smb3", "SMB", FileSystemKind::network},
    Known{0x517b, "smbfs", "SMB", FileSystemKind::network},
    Known{fuse_magic, "fuse", "FUSE", FileSystemKind::user_space},
};

/// What mountinfo writes as \040 (octal) for blanks and the like, as it is.
std::string unescaped(std::string_view text) {
    const auto is_octal = [](char c) {
        return c >= '0' && c <= '7';
    };
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const std::string_view digits = text.substr(i).substr(0, 4).substr(1);
        if (text[i] == '\\' && digits.size() == 3 &&
            std::all_of(digits.begin(), digits.end(), is_octal)) {
            plain += static_cast<char>(std::stoi(std::string(digits), nullptr, 8));
            i += 3;
        } else {
            plain += text[i];
        }
    }
    return plain;
}

/// The mount point and type of one line: "36 35 98:0 /root /mnt rw,noatime master:1 - ext3 /dev/sda
/// rw".
struct Mount {
    std::filesystem::path point;
    std::string type;
};

std::optional<Mount> parse_mount(const std::string& line) {
    constexpr std::size_t point_field = 4;
    std::istringstream words(line);
    std::vector<std::string> fields;
    for (std::string word; words >> word;) {
        fields.push_back(word);
    }
    const auto separator = std::find(fields.begin(), fields.end(), "-");
    if (separator - fields.begin() <= static_cast<std::ptrdiff_t>(point_field) ||
        fields.end() - separator < 2) {
        return std::nullopt;
    }
    return Mount{.point = unescaped(fields[point_field]), .type = *(separator + 1)};
}

bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
    return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
           folder.end();
}

std::string read_mountinfo() {
    std::ifstream file("/proc/self/mountinfo");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

}  // namespace

std::string mounted_type(std::string_view mountinfo, const std::filesystem::path& path) {
    std::istringstream lines{std::string(mountinfo)};
    Mount nearest;
    for (std::string line; std::getline(lines, line);) {
        auto mount = parse_mount(line);
        // Of mounts on top of one another the last one is seen.
        if (mount && is_below(path, mount->point) &&
            mount->point.string().size() >= nearest.point.string().size()) {
            nearest = *std::move(mount);
        }
    }
    return nearest.type;
}

FileSystemType file_system_type(std::uint64_t magic, std::string_view mounted) {
    constexpr std::string_view fuse_prefix = "fuse.";
    const Known* found = nullptr;
    for (const Known& known : known_types) {
        if (known.magic == magic && (found == nullptr || known.mounted == mounted)) {
            found = &known;
        }
    }
    if (found == nullptr) {
        return {.kind = FileSystemKind::unknown,
                .name = mounted.empty() ? fmt::format("file system 0x{:x}", magic)
                                        : std::string(mounted)};
    }
    FileSystemType type{
        .kind = found->kind, .name = std::string(found->name), .in_memory = found->in_memory};
    if (magic == fuse_magic && mounted.starts_with(fuse_prefix)) {
        type.name = fmt::format("{} (FUSE)", mounted.substr(fuse_prefix.size()));
    }
    return type;
}

FileSystemType file_system_of(const std::filesystem::path& path) {
    struct statfs status {};
    if (::statfs(path.c_str(), &status) != 0) {
        return {.kind = FileSystemKind::unknown, .name = "file system of unknown type"};
    }
    std::error_code code;
    const std::filesystem::path real = std::filesystem::canonical(path, code);
    // Some systems keep the number in an int, and sign-extend it.
    const auto magic = static_cast<std::uint32_t>(status.f_type);
    return file_system_type(magic, code ? "" : mounted_type(read_mountinfo(), real));
}

TransportChoice transport_for(const FileSystemType& type, int nodes) {
    switch (type.kind) {
        case FileSystemKind::local:
            return {.name = "direct",
                    .reason = fmt::format("{} is a local file system", type.name)};
        case FileSystemKind::parallel:
            return {.name = "collective",
                    .reason = fmt::format("{} is a parallel file system", type.name)};
        case FileSystemKind::network:
        case FileSystemKind::user_space:
        case FileSystemKind::unknown:
            break;
    }
    return {.name = nodes == 1 ? "direct" : "collective",
            .reason = nodes == 1 ? fmt::format("{}, read from one node", type.name)
                                 : fmt::format("{}, read from {} nodes", type.name, nodes)};
}

}  // namespace reelyard::store
