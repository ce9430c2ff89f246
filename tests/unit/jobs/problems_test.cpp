#include "reelyard/jobs/problems.hpp"

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"

namespace reelyard::jobs {
namespace {

Error thrown(std::vector<Problem> problems) {
    try {
        throw_problems(std::move(problems));
    } catch (const Error& error) {
        return error;
    }
    return {ErrorKind::internal, "nothing was thrown"};
}

TEST(Problems, throws_nothing_when_there_are_none) {
    EXPECT_NO_THROW(throw_problems({}));
}

TEST(Problems, shows_a_single_one_in_one_line) {
    const auto error = thrown({{{"job.ini", 3}, "wrong"}});

    EXPECT_EQ(error.message(), "job.ini:3: wrong");
    EXPECT_EQ(error.kind(), ErrorKind::input);
}

TEST(Problems, sorts_by_line_within_each_file) {
    const auto error = thrown({{{"b.txt", 10}, "one"},
                               {{"a.ini", 7}, "two"},
                               {{"b.txt", 9}, "three"},
                               {{"b.txt", 9}, "four"}});

    EXPECT_EQ(error.message(),
              "4 problems:\n  b.txt:9: three\n  b.txt:9: four\n  b.txt:10: one\n  a.ini:7: two");
}

TEST(Problems, shows_fifty_and_counts_the_rest) {
    std::vector<Problem> problems;
    for (int line = 1; line <= 62; ++line) {
        problems.push_back({{"p.txt", line}, "bad"});
    }

    const auto message = thrown(problems).message();

    EXPECT_THAT(message, testing::StartsWith("62 problems:\n  p.txt:1: bad\n"));
    EXPECT_THAT(message, testing::EndsWith("  p.txt:50: bad\n  and 12 more"));
}

TEST(Problems, are_of_usage_when_all_are_on_the_command_line) {
    EXPECT_EQ(thrown({{{"command line"}, "x"}}).kind(), ErrorKind::usage);
    EXPECT_EQ(thrown({{{"command line"}, "x"}, {{"job.ini", 1}, "y"}}).kind(), ErrorKind::input);
}

TEST(InQuotes, shows_control_characters_and_broken_bytes_as_escapes) {
    EXPECT_EQ(in_quotes("a\nb\xff"), "'a\\x0ab\\xff'");
    EXPECT_EQ(in_quotes("caf\xc3\xa9"), "'caf\xc3\xa9'");
}

TEST(InQuotes, cuts_long_text_between_characters) {
    const std::string letters(59, 'a');

    EXPECT_EQ(in_quotes(letters + "a"), "'" + letters + "a'");
    EXPECT_EQ(in_quotes(letters + "\xc3\xa9"), "'" + letters + "...'");
}

}  // namespace
}  // namespace reelyard::jobs
