#include "reelyard/journal/ledger.hpp"

#include <fstream>

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"

#include "test_records.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::journal {
namespace {

class LedgerTest : public testing::Test {
protected:
    [[nodiscard]] Ledger read(const std::string& text) const {
        std::ofstream(path_, std::ios::binary) << text;
        return Ledger::read(path_);
    }

    test::TemporaryFolder folder_;
    std::filesystem::path path_ = folder_ / "manifest.jsonl";
};

std::string line(const Record& record) {
    return to_json(record) + "\n";
}

TEST_F(LedgerTest, a_missing_or_empty_file_has_no_records) {
    EXPECT_TRUE(Ledger::read(folder_ / "nowhere.jsonl").records().empty());
    EXPECT_TRUE(read("").records().empty());
}

TEST_F(LedgerTest, the_last_record_of_an_id_counts) {
    const Ledger ledger = read(line(test::make_failure("a", "disk full")) +
                               line(test::make_record("b")) + line(test::make_record("a")));

    ASSERT_EQ(ledger.records().size(), 2U);
    EXPECT_EQ(ledger.records()[0].task.id, "a");
    EXPECT_EQ(ledger.find("a")->result.state, TaskResult::State::done);
    EXPECT_EQ(ledger.find("b")->task.id, "b");
    EXPECT_EQ(ledger.find("c"), nullptr);
}

TEST_F(LedgerTest, a_last_line_that_was_cut_off_anywhere_does_not_count) {
    const std::string first = line(test::make_record("a"));
    const std::string second = line(test::make_record("b"));

    for (std::size_t kept = 0; kept < second.size(); ++kept) {
        const Ledger ledger = read(first + second.substr(0, kept));

        ASSERT_EQ(ledger.records().size(), 1U) << kept;
        ASSERT_NE(ledger.find("a"), nullptr);
    }
    EXPECT_EQ(read(first + second).records().size(), 2U);
    EXPECT_EQ(read(first + std::string(100, '\0')).records().size(), 1U);
}

TEST_F(LedgerTest, any_other_line_that_is_no_record_is_named) {
    try {
        static_cast<void>(
            read(line(test::make_record("a")) + "{\"id\": \"b\"\n" + line(test::make_record("c"))));
        FAIL() << "was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(), testing::StartsWith(path_.string() + ":2: is no record: "));
    }
}

}  // namespace
}  // namespace reelyard::journal
