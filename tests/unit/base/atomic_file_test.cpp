#include "reelyard/base/atomic_file.hpp"

#include <fstream>

#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"

namespace reelyard {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public testing::Test {
protected:
    void SetUp() override { fs::create_directories(folder_); }
    void TearDown() override { fs::remove_all(folder_); }

    fs::path folder_ = fs::path(testing::TempDir()) / "atomic_file_test";
};

TEST_F(AtomicFileTest, partial_path_is_hidden_and_beside_the_file) {
    EXPECT_EQ(partial_path("out/a.mp4"), fs::path("out/.a.mp4.part"));
    EXPECT_EQ(partial_path("a.mp4"), fs::path(".a.mp4.part"));
}

TEST_F(AtomicFileTest, replaces_the_file_and_leaves_nothing_else) {
    write_file_atomically(folder_ / "a", "old");
    write_file_atomically(folder_ / "a", "new");
    EXPECT_EQ(read_text_file(folder_ / "a"), "new");
    EXPECT_EQ(posix_file_system().list(folder_), std::vector<std::string>{"a"});
}

TEST_F(AtomicFileTest, temporary_file_goes_away_unless_committed) {
    {
        const TemporaryFile temporary(folder_ / ".a.part");
        std::ofstream(temporary.path()) << "half";
    }
    EXPECT_TRUE(posix_file_system().list(folder_).empty());
    {
        TemporaryFile temporary(folder_ / ".a.part");
        std::ofstream(temporary.path()) << "whole";
        temporary.commit(folder_ / "a");
    }
    EXPECT_EQ(read_text_file(folder_ / "a"), "whole");
}

TEST_F(AtomicFileTest, failure_keeps_the_old_content) {
    write_file_atomically(folder_ / "a", "old");
    fs::create_directories(folder_ / ".a.part");  // a folder where the temporary file should go

    EXPECT_THROW(write_file_atomically(folder_ / "a", "new"), Error);
    EXPECT_EQ(read_text_file(folder_ / "a"), "old");
}

}  // namespace
}  // namespace reelyard
