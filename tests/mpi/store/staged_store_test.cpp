#include "reelyard/store/staged_store.hpp"

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/node_layout.hpp"
#include "reelyard/store/checkpoint/checkpoint_folder.hpp"
#include "reelyard/store/checkpoint/checkpoint_importer.hpp"

#include "reelyard/test/shared_folder.hpp"
#include "reelyard/test/tiny_checkpoint.hpp"

namespace reelyard::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const StageProgress nobody = [](std::int64_t, std::int64_t) {
};

/// A store, and for each node a folder of its own; the parameter is how many ranks a node has.
class StagedStoreTest : public testing::TestWithParam<int> {
protected:
    StagedStoreTest() : layout_(folder_.world(), GetParam()) {
        const mpi::Communicator alone = world().split(world().rank(), 0);
        on_root([&] {
            const test::TinyCheckpoint checkpoint(folder_ / "checkpoint");
            const ImportRequest request{.checkpoint = checkpoint.folder(), .output = source()};
            (void)import_checkpoint(request,
                                    read_checkpoint_config(request.checkpoint),
                                    checkpoint.spec(),
                                    alone,
                                    nobody);
        });
    }

    [[nodiscard]] const mpi::Communicator& world() const { return folder_.world(); }
    [[nodiscard]] std::filesystem::path source() const { return folder_ / "m.h5"; }
    [[nodiscard]] std::filesystem::path node_folder(int node) const {
        return folder_ / ("node-" + std::to_string(node)) / "staged";
    }
    [[nodiscard]] std::filesystem::path node_folder() const {
        return node_folder(layout_.own_node());
    }
    [[nodiscard]] std::filesystem::path copy(const StoreFile& file) const {
        return node_folder() / (file.fingerprint() + ".h5");
    }

    void on_root(const std::function<void()>& body) const {
        if (world().rank() == 0) {
            body();
        }
        world().barrier();
    }
    void on_first_of_node(const std::function<void()>& body) const {
        world().barrier();
        if (layout_.node().rank() == 0) {
            body();
        }
        world().barrier();
    }

    [[nodiscard]] StageReport stage(const StoreFile& file) const {
        return stage_store(file, node_folder(), world(), GetParam(), nobody);
    }
    [[nodiscard]] StagedCopy find(const StoreFile& file) const {
        return find_staged(file, node_folder(), world(), GetParam());
    }

    static std::string content_of(const std::filesystem::path& path) {
        std::ifstream file(path, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    static std::vector<std::string> names_in(const std::filesystem::path& folder) {
        std::vector<std::string> names;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            names.push_back(entry.path().filename().string());
        }
        return names;
    }
    [[nodiscard]] std::int64_t source_bytes() const {
        return static_cast<std::int64_t>(std::filesystem::file_size(source()));
    }

    test::SharedFolder folder_;
    mpi::NodeLayout layout_;
};

TEST_P(StagedStoreTest, gives_every_node_the_file_and_reads_it_once) {
    const StoreFile file = StoreFile::open(source(), world());

    const StageReport report = stage(file);

    EXPECT_EQ(report.staged, copy(file));
    EXPECT_FALSE(report.was_there);
    EXPECT_EQ(report.nodes, layout_.nodes());
    EXPECT_EQ(report.file_bytes, source_bytes());
    EXPECT_EQ(world().sum(report.bytes_read), source_bytes());
    EXPECT_TRUE(content_of(copy(file)) == content_of(source()));
    EXPECT_EQ(names_in(node_folder()).size(), 1U) << "something was left behind";
    EXPECT_EQ(find(file).path, copy(file));
    EXPECT_THAT(find(file).reason, HasSubstr("staged at"));
}

TEST_P(StagedStoreTest, keeps_the_folder_to_its_user) {
    const StoreFile file = StoreFile::open(source(), world());

    (void)stage(file);

    struct stat status {};
    ASSERT_EQ(::stat(node_folder().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_P(StagedStoreTest, leaves_a_sound_copy_as_it_is) {
    const StoreFile file = StoreFile::open(source(), world());
    (void)stage(file);
    struct stat before {};
    ASSERT_EQ(::stat(copy(file).c_str(), &before), 0);

    const StageReport again = stage(file);

    struct stat after {};
    ASSERT_EQ(::stat(copy(file).c_str(), &after), 0);
    EXPECT_TRUE(again.was_there);
    EXPECT_EQ(world().sum(again.bytes_read), 0);
    EXPECT_EQ(before.st_ino, after.st_ino);
}

TEST_P(StagedStoreTest, brings_it_to_the_nodes_alone_that_lack_it) {
    const StoreFile file = StoreFile::open(source(), world());
    (void)stage(file);
    on_first_of_node([&] {
        if (layout_.own_node() == layout_.nodes() - 1) {
            std::filesystem::remove(copy(file));
        }
    });

    if (layout_.nodes() > 1) {
        EXPECT_FALSE(find(file).path);
        EXPECT_THAT(find(file).reason,
                    HasSubstr("1 of " + std::to_string(layout_.nodes()) + " nodes have no"));
    }
    const StageReport report = stage(file);

    EXPECT_FALSE(report.was_there);
    EXPECT_EQ(world().sum(report.bytes_read), source_bytes());
    EXPECT_EQ(report.bytes_read > 0, layout_.own_node() == layout_.nodes() - 1);
    EXPECT_TRUE(content_of(copy(file)) == content_of(source()));
}

TEST_P(StagedStoreTest, uses_no_truncated_copy_and_replaces_it) {
    const StoreFile file = StoreFile::open(source(), world());
    (void)stage(file);
    on_first_of_node([&] { std::filesystem::resize_file(copy(file), 5000); });

    EXPECT_FALSE(find(file).path);
    EXPECT_THAT(find(file).reason,
                AllOf(HasSubstr("has 5000 bytes (expected " + std::to_string(source_bytes())),
                      HasSubstr(file.fingerprint())));
    EXPECT_FALSE(stage(file).was_there);

    EXPECT_EQ(find(file).path, copy(file));
    EXPECT_TRUE(content_of(copy(file)) == content_of(source()));
}

TEST_P(StagedStoreTest, uses_no_copy_with_another_index_and_replaces_it) {
    const StoreFile file = StoreFile::open(source(), world());
    (void)stage(file);
    on_first_of_node([&] {
        const hid_t id = H5Fopen(copy(file).c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
        const hid_t index = H5Dopen2(id, "index", H5P_DEFAULT);
        std::vector<char> text(static_cast<std::size_t>(H5Dget_storage_size(index)));
        H5Dread(index, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data());
        text[text.size() / 2] ^= 1;
        H5Dwrite(index, H5T_NATIVE_UINT8, H5S_ALL, H5S_ALL, H5P_DEFAULT, text.data());
        H5Dclose(index);
        H5Fclose(id);
    });
    ASSERT_EQ(static_cast<std::int64_t>(std::filesystem::file_size(copy(file))), source_bytes());

    EXPECT_FALSE(find(file).path);
    EXPECT_THAT(find(file).reason, HasSubstr("broken"));
    (void)stage(file);

    EXPECT_EQ(find(file).path, copy(file));
    EXPECT_TRUE(content_of(copy(file)) == content_of(source()));
}

TEST_P(StagedStoreTest, says_that_there_is_no_copy) {
    const StoreFile file = StoreFile::open(source(), world());

    const StagedCopy found = find(file);

    EXPECT_FALSE(found.path);
    EXPECT_THAT(found.reason, HasSubstr("no staged copy in " + node_folder(0).string()));
}

TEST_P(StagedStoreTest, names_node_folder_and_bytes_where_there_is_no_room) {
    const StoreFile file = StoreFile::open(source(), world());
    // A hole makes a file as large as one likes without taking room.
    on_root([&] { std::filesystem::resize_file(source(), std::uintmax_t{1} << 43); });

    std::string message;
    try {
        (void)stage(file);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::resources);
        EXPECT_TRUE(error.is_shared());
        message = error.what();
    }

    std::vector<char> host(256);
    ::gethostname(host.data(), host.size() - 1);
    EXPECT_THAT(message,
                AllOf(HasSubstr(host.data()),
                      HasSubstr(node_folder(0).string()),
                      HasSubstr("8.00 TiB wanted"),
                      HasSubstr(" free")));
    EXPECT_TRUE(names_in(node_folder()).empty());
}

TEST_P(StagedStoreTest, removes_what_a_killed_program_left_but_not_what_is_being_made) {
    const StoreFile file = StoreFile::open(source(), world());
    on_first_of_node([&] {
        std::filesystem::create_directories(node_folder());
        std::ofstream(node_folder() / ".0123456789abcdef.h5.AbCdEf.staging") << "half";
        std::ofstream(node_folder() / "notes.txt") << "mine";
    });

    (void)stage(file);

    const auto names = names_in(node_folder());
    EXPECT_THAT(names, testing::UnorderedElementsAre("notes.txt", file.fingerprint() + ".h5"));
}

TEST_P(StagedStoreTest, is_removed_from_every_node) {
    const StoreFile file = StoreFile::open(source(), world());
    (void)stage(file);

    EXPECT_EQ(remove_staged(file, node_folder(), world(), GetParam()), layout_.nodes());

    EXPECT_FALSE(find(file).path);
    EXPECT_TRUE(names_in(node_folder()).empty());
    world().barrier();
    EXPECT_EQ(remove_staged(file, node_folder(), world(), GetParam()), 0);
}

INSTANTIATE_TEST_SUITE_P(ranks_per_node, StagedStoreTest, testing::Values(0, 1, 2));

}  // namespace
}  // namespace reelyard::store
