#include "reelyard/base/log.hpp"

#include <filesystem>

#include <gtest/gtest.h>

#include "reelyard/base/file_system.hpp"

namespace reelyard {
namespace {

class LogTest : public testing::Test {
protected:
    void TearDown() override {
        log::configure({});
        std::filesystem::remove(file_);
    }

    std::string content_after(const log::Options& options) {
        log::configure(options);
        log::debug("detail {}", 1);
        log::info("page {}", 2);
        log::local_warning("mind {}", 3);
        log::local_error("lost {}", 4);
        return read_text_file(file_);
    }

    std::filesystem::path file_ = std::filesystem::path(testing::TempDir()) / "log_test.log";
};

TEST_F(LogTest, file_holds_every_level_whatever_the_terminal_shows) {
    const std::string text = content_after({.level = log::Level::error, .file = file_});

    EXPECT_NE(text.find("detail 1"), std::string::npos);
    EXPECT_NE(text.find("page 2"), std::string::npos);
    EXPECT_NE(text.find("warning: mind 3"), std::string::npos);
    EXPECT_NE(text.find("error: lost 4"), std::string::npos);
}

TEST_F(LogTest, other_ranks_write_only_local_messages_and_say_who_they_are) {
    const std::string text =
        content_after({.level = log::Level::error, .file = file_, .rank = 2, .ranks = 4});

    EXPECT_EQ(text.find("page 2"), std::string::npos);
    EXPECT_NE(text.find("[2/4 "), std::string::npos);
    EXPECT_NE(text.find("mind 3"), std::string::npos);
}

}  // namespace
}  // namespace reelyard
