#include "transport/file_system_kind.hpp"

#include <string>

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::store {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// As a node of a cluster shows it; the last mount on a folder hides those below.
constexpr std::string_view mountinfo =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,errors=remount-ro\n"
    "30 27 0:24 / /dev/shm rw,nosuid - tmpfs tmpfs rw,size=24684084k\n"
    "41 27 0:40 / /home rw,relatime shared:20 - autofs systemd-1 rw,fd=43\n"
    "42 41 0:41 / /home rw,relatime shared:21 master:3 - nfs4 server:/home rw,vers=4.2\n"
    "43 27 0:42 / /scratch rw,flock - lustre 10.0.0.1@o2ib:/scratch rw\n"
    "44 43 0:43 / /scratch/my\\040models ro - fuse.sshfs me@elsewhere:/models ro\n"
    "45 27 0:44 / /home2 rw - xfs /dev/vdb rw\n"
    "broken line\n";

constexpr std::uint64_t ext_magic = 0xef53;
constexpr std::uint64_t nfs_magic = 0x6969;
constexpr std::uint64_t fuse_magic = 0x65735546;
constexpr std::uint64_t lustre_magic = 0x0bd00bd0;

TEST(MountedType, is_that_of_the_nearest_mount_above) {
    EXPECT_EQ(mounted_type(mountinfo, "/opt/model.h5"), "ext4");
    EXPECT_EQ(mounted_type(mountinfo, "/dev/shm/reelyard-0/a.h5"), "tmpfs");
    EXPECT_EQ(mounted_type(mountinfo, "/scratch/a/b/model.h5"), "lustre");
    EXPECT_EQ(mounted_type(mountinfo, "/scratch"), "lustre");
}

TEST(MountedType, is_that_of_the_last_of_mounts_on_one_folder) {
    EXPECT_EQ(mounted_type(mountinfo, "/home/model.h5"), "nfs4");
}

TEST(MountedType, compares_whole_names_of_folders) {
    EXPECT_EQ(mounted_type(mountinfo, "/home2/model.h5"), "xfs");
    EXPECT_EQ(mounted_type(mountinfo, "/home23/model.h5"), "ext4");
}

TEST(MountedType, knows_blanks_in_names_of_folders) {
    EXPECT_EQ(mounted_type(mountinfo, "/scratch/my models/model.h5"), "fuse.sshfs");
}

TEST(MountedType, is_empty_where_nothing_is_known) {
    EXPECT_EQ(mounted_type("", "/model.h5"), "");
    EXPECT_EQ(mounted_type("nothing - \n - -\n\n", "/model.h5"), "");
}

TEST(FileSystemType, takes_the_name_from_the_mount_where_types_share_a_number) {
    EXPECT_EQ(file_system_type(ext_magic, "ext3").name, "ext3");
    EXPECT_EQ(file_system_type(ext_magic, "").name, "ext4");
    EXPECT_EQ(file_system_type(nfs_magic, "nfs").name, "NFS");
    EXPECT_EQ(file_system_type(fuse_magic, "fuse.sshfs").name, "sshfs (FUSE)");
    EXPECT_EQ(file_system_type(fuse_magic, "fuseblk").name, "FUSE");
}

TEST(FileSystemType, trusts_the_number_more_than_the_mount) {
    EXPECT_EQ(file_system_type(lustre_magic, "ext4").name, "Lustre");
}

TEST(FileSystemType, names_what_it_does_not_know) {
    EXPECT_EQ(file_system_type(0x1234, "wekafs").name, "wekafs");
    EXPECT_EQ(file_system_type(0x1234, "").name, "file system 0x1234");
    EXPECT_EQ(file_system_type(0x1234, "").kind, FileSystemKind::unknown);
}

struct Row {
    std::uint64_t magic;
    std::string mounted;
    int nodes;
    std::string transport;
    std::string reason;
};

class TransportFor : public testing::TestWithParam<Row> {};

TEST_P(TransportFor, follows_the_kind_of_file_system_and_the_nodes) {
    const Row& row = GetParam();

    const TransportChoice choice =
        transport_for(file_system_type(row.magic, row.mounted), row.nodes);

    EXPECT_EQ(choice.name, row.transport);
    EXPECT_EQ(choice.reason, row.reason);
}

INSTANTIATE_TEST_SUITE_P(
    table,
    TransportFor,
    testing::Values(Row{0xef53, "ext4", 1, "direct", "ext4 is a local file system"},
                    Row{0xef53, "ext4", 4, "direct", "ext4 is a local file system"},
                    Row{0x58465342, "xfs", 2, "direct", "XFS is a local file system"},
                    Row{0x9123683e, "btrfs", 1, "direct", "Btrfs is a local file system"},
                    Row{0x2fc12fc1, "zfs", 1, "direct", "ZFS is a local file system"},
                    Row{0x01021994, "tmpfs", 8, "direct", "tmpfs is a local file system"},
                    Row{0x794c7630, "overlay", 1, "direct", "overlayfs is a local file system"},
                    Row{0x0bd00bd0, "lustre", 1, "collective", "Lustre is a parallel file system"},
                    Row{0x0bd00bd0, "lustre", 64, "collective", "Lustre is a parallel file system"},
                    Row{0x47504653, "gpfs", 2, "collective", "GPFS is a parallel file system"},
                    Row{0x19830326, "beegfs", 2, "collective", "BeeGFS is a parallel file system"},
                    Row{0x00c36400, "ceph", 1, "collective", "CephFS is a parallel file system"},
                    Row{0x6969, "nfs4", 1, "direct", "NFS, read from one node"},
                    Row{0x6969, "nfs4", 4, "collective", "NFS, read from 4 nodes"},
                    Row{0xff534d42, "cifs", 1, "direct", "SMB, read from one node"},
                    Row{0xfe534d42, "smb3", 2, "collective", "SMB, read from 2 nodes"},
                    Row{0x65735546, "fuse.s3fs", 1, "direct", "s3fs (FUSE), read from one node"},
                    Row{0x65735546, "fuse.s3fs", 3, "collective", "s3fs (FUSE), read from 3 nodes"},
                    Row{0x1234, "wekafs", 1, "direct", "wekafs, read from one node"},
                    Row{0x1234, "wekafs", 2, "collective", "wekafs, read from 2 nodes"}));

TEST(ChooseTransport, takes_what_is_asked_for_and_says_so) {
    for (const std::string name : {"direct", "collective"}) {
        const TransportChoice choice = choose_transport(name, "/nowhere/model.h5", 4);
        EXPECT_EQ(choice.name, name);
        EXPECT_EQ(choice.reason, "asked for");
    }
}

TEST(ChooseTransport, decides_by_the_file_system_when_told_to) {
    const TransportChoice choice = choose_transport("auto", "/dev/shm", 4);

    EXPECT_EQ(choice.name, "direct");
    EXPECT_EQ(choice.reason, "tmpfs is a local file system");
}

TEST(ChooseTransport, decides_even_where_nothing_can_be_found_out) {
    EXPECT_EQ(choose_transport("auto", "/nowhere/model.h5", 1).name, "direct");
    EXPECT_EQ(choose_transport("auto", "/nowhere/model.h5", 2).reason,
              "file system of unknown type, read from 2 nodes");
}

TEST(ChooseTransport, lists_what_it_knows_when_asked_for_something_else) {
    EXPECT_THAT(transport_names(), ElementsAre("auto", "collective", "direct"));
    try {
        (void)choose_transport("magic", "/dev/shm", 1);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.what(),
                    AllOf(HasSubstr("'magic'"), HasSubstr("auto, collective, direct")));
    }
}

}  // namespace
}  // namespace reelyard::store
