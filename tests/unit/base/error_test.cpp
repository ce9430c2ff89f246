#include "reelyard/base/error.hpp"

#include <gtest/gtest.h>

namespace reelyard {
namespace {

TEST(Error, kind_is_the_exit_code) {
    EXPECT_EQ(Error(ErrorKind::input, "x").exit_code(), 3);
    EXPECT_EQ(Error(ErrorKind::internal, "x").exit_code(), 70);
    EXPECT_EQ(Error(ErrorKind::stopped, "x").exit_code(), 75);
}

TEST(Error, require_formats_its_message_only_when_the_condition_fails) {
    EXPECT_NO_THROW(require(true, ErrorKind::input, "{} is odd", 2));
    try {
        require(false, ErrorKind::input, "{} is odd", 3);
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.message(), "3 is odd");
        EXPECT_EQ(error.kind(), ErrorKind::input);
    }
}

TEST(Error, knows_where_it_was_required) {
    try {
        require(false, ErrorKind::input, "no");
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.where().file_name()).find("error_test.cpp"), std::string::npos);
    }
}

TEST(Error, context_is_added_from_inside_to_outside) {
    try {
        in_context(
            [] {
                in_context(
                    [] { fail(ErrorKind::storage, "short read"); }, "reading tensor '{}'", "w");
            },
            "loading {}",
            "model.h5");
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "short read (while reading tensor 'w', while loading model.h5)");
    }
}

TEST(Error, in_context_gives_the_value_of_its_body) {
    EXPECT_EQ(in_context([] { return 7; }, "counting"), 7);
}

TEST(Error, broken_contract_is_an_internal_error_naming_the_condition) {
#if REELYARD_CONTRACTS
    const int ranks = 0;
    try {
        REELYARD_EXPECT(ranks > 0);
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::internal);
        EXPECT_NE(error.message().find("ranks > 0"), std::string::npos);
    }
#else
    GTEST_SKIP() << "contracts are off in this build";
#endif
}

}  // namespace
}  // namespace reelyard
