#include "reelyard/base/file_system.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"

namespace reelyard {
namespace {

namespace fs = std::filesystem;

class PosixFileSystemTest : public testing::Test {
protected:
    void SetUp() override { fs::create_directories(folder_); }
    void TearDown() override { fs::remove_all(folder_); }

    void write(const std::string& name, std::string_view text, FileSystem::Mode mode) const {
        auto file = posix_file_system().open(folder_ / name, mode);
        file->write(std::as_bytes(std::span(text.data(), text.size())));
        file->sync();
    }

    fs::path folder_ = fs::path(testing::TempDir()) / "file_system_test";
};

TEST_F(PosixFileSystemTest, truncates_or_appends_as_told) {
    write("a", "one", FileSystem::Mode::truncate);
    write("a", "two", FileSystem::Mode::append);
    EXPECT_EQ(read_text_file(folder_ / "a"), "onetwo");
    write("a", "three", FileSystem::Mode::truncate);
    EXPECT_EQ(read_text_file(folder_ / "a"), "three");
}

TEST_F(PosixFileSystemTest, rename_replaces_what_was_there) {
    write("a", "new", FileSystem::Mode::truncate);
    write("b", "old", FileSystem::Mode::truncate);
    posix_file_system().rename(folder_ / "a", folder_ / "b");
    EXPECT_EQ(read_text_file(folder_ / "b"), "new");
    EXPECT_EQ(posix_file_system().list(folder_), std::vector<std::string>{"b"});
}

TEST_F(PosixFileSystemTest, lists_sorted_and_takes_a_missing_folder_for_empty) {
    write("b", "", FileSystem::Mode::truncate);
    write("a", "", FileSystem::Mode::truncate);
    EXPECT_EQ(posix_file_system().list(folder_), (std::vector<std::string>{"a", "b"}));
    EXPECT_TRUE(posix_file_system().list(folder_ / "missing").empty());
}

TEST_F(PosixFileSystemTest, removing_what_is_not_there_is_no_error) {
    EXPECT_NO_THROW(posix_file_system().remove(folder_ / "missing"));
}

TEST_F(PosixFileSystemTest, full_disk_is_a_lack_of_resources) {
    auto file = posix_file_system().open("/dev/full", FileSystem::Mode::append);
    const std::string text = "x";
    try {
        file->write(std::as_bytes(std::span(text.data(), text.size())));
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::resources);
        EXPECT_NE(error.message().find("/dev/full"), std::string::npos);
    }
}

TEST_F(PosixFileSystemTest, reading_a_folder_or_a_missing_file_names_it) {
    for (const fs::path& path : {folder_, folder_ / "missing"}) {
        try {
            (void)read_text_file(path);
            FAIL() << "nothing was thrown for " << path;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_NE(error.message().find(path.string()), std::string::npos);
        }
    }
}

TEST_F(PosixFileSystemTest, make_folders_says_when_a_file_is_in_the_way) {
    write("a", "x", FileSystem::Mode::truncate);
    EXPECT_THROW(make_folders(folder_ / "a" / "b"), Error);
    EXPECT_NO_THROW(make_folders(folder_ / "c" / "d"));
    EXPECT_TRUE(fs::is_directory(folder_ / "c" / "d"));
}

}  // namespace
}  // namespace reelyard
