#include "reelyard/journal/manifest_writer.hpp"

#include <gmock/gmock.h>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/journal/ledger.hpp"

#include "test_records.hpp"

#include "reelyard/test/fake_file_system.hpp"
#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::journal {
namespace {

class ManifestWriterTest : public testing::Test {
protected:
    [[nodiscard]] std::vector<std::string> ids() const {
        const Ledger ledger = Ledger::read(path_);
        std::vector<std::string> ids;
        for (const Record& record : ledger.records()) {
            ids.push_back(record.task.id);
        }
        return ids;
    }

    test::TemporaryFolder folder_;
    std::filesystem::path path_ = folder_ / "manifest.jsonl";
};

TEST_F(ManifestWriterTest, appends_to_what_is_there) {
    {
        ManifestWriter writer(path_);
        writer.append(test::make_record("a"));
        writer.append(test::make_failure("b", "no memory"));
    }
    const std::string before = read_text_file(path_);
    ManifestWriter(path_).append(test::make_record("c"));

    EXPECT_THAT(ids(), testing::ElementsAre("a", "b", "c"));
    EXPECT_TRUE(read_text_file(path_).starts_with(before));
}

TEST_F(ManifestWriterTest, the_file_is_there_from_the_start) {
    const ManifestWriter writer(path_);

    EXPECT_EQ(read_text_file(path_), "");
}

TEST_F(ManifestWriterTest, repairs_a_line_that_was_cut_off_and_loses_no_other) {
    ManifestWriter(path_).append(test::make_record("a"));
    const std::string first = read_text_file(path_);
    const std::string second = to_json(test::make_record("b"));

    for (const std::size_t kept : {std::size_t{1}, second.size() / 2, second.size()}) {
        write_file_atomically(path_, first + second.substr(0, kept));
        ManifestWriter(path_).append(test::make_record("c"));

        EXPECT_THAT(ids(), testing::ElementsAre("a", "c")) << kept;
    }
}

TEST_F(ManifestWriterTest, goes_on_after_a_full_disk) {
    const auto length = static_cast<std::int64_t>(to_json(test::make_record("a")).size());
    test::FullDisk disk(length + length / 2);
    ManifestWriter writer(path_, disk);
    writer.append(test::make_record("a"));

    try {
        writer.append(test::make_record("b"));
        FAIL() << "was written";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::resources);
    }
    EXPECT_THROW(writer.append(test::make_record("b")), Error);
    EXPECT_THAT(ids(), testing::ElementsAre("a"));
    disk.make_room(10 * length);
    writer.append(test::make_record("c"));

    EXPECT_THAT(ids(), testing::ElementsAre("a", "c"));
}

/// Whatever append() returned for is in the file after a crash at any instant, and the next run
/// goes on.
class ManifestCrash : public ManifestWriterTest, public testing::WithParamInterface<bool> {};

TEST_P(ManifestCrash, keeps_every_acknowledged_record) {
    const bool power_fails = GetParam();
    bool through = false;
    for (int changes = 0; !through; ++changes) {
        ASSERT_LT(changes, 100);
        std::filesystem::remove(path_);
        test::CrashingDisk disk(changes);
        std::vector<std::string> acknowledged;
        try {
            ManifestWriter writer(path_, disk);
            for (const char* id : {"a", "b", "c"}) {
                writer.append(test::make_record(id));
                acknowledged.emplace_back(id);
            }
            through = true;
        } catch (const test::Crash&) {
        }
        if (power_fails) {
            disk.lose_unsynced();
        }

        const auto found = ids();
        ASSERT_GE(found.size(), acknowledged.size());
        ASSERT_LE(found.size(), acknowledged.size() + 1);
        EXPECT_TRUE(std::equal(acknowledged.begin(), acknowledged.end(), found.begin()));
        ManifestWriter(path_).append(test::make_record("next"));
        EXPECT_EQ(ids().size(), found.size() + 1);
        EXPECT_EQ(ids().back(), "next");
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ManifestCrash, testing::Bool(), [](const auto& parameter) {
    return parameter.param ? "power_failure" : "killed_process";
});

TEST_F(ManifestWriterTest, a_crash_while_repairing_loses_nothing) {
    ManifestWriter(path_).append(test::make_record("a"));
    const std::string torn = read_text_file(path_) + "{\"id\": \"b";
    bool through = false;
    for (int changes = 0; !through; ++changes) {
        write_file_atomically(path_, torn);
        test::CrashingDisk disk(changes);
        try {
            const ManifestWriter writer(path_, disk);
            through = true;
        } catch (const test::Crash&) {
        }
        disk.lose_unsynced();

        EXPECT_THAT(ids(), testing::ElementsAre("a")) << "crash at change " << changes;
    }
}

}  // namespace
}  // namespace reelyard::journal
