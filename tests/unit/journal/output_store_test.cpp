#include "reelyard/journal/output_store.hpp"

#include <gmock/gmock.h>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/error.hpp"

#include "test_records.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::journal {
namespace {

namespace fs = std::filesystem;

class OutputStoreTest : public testing::Test {
protected:
    /// A record whose files were really written.
    [[nodiscard]] Record make_complete(const std::string& id) const {
        Record record = test::make_record(id);
        record.result.files.clear();
        record.result.bytes.clear();
        for (const auto& file : {"videos/" + id + ".mp4", "latents/" + id + ".safetensors"}) {
            write_file_atomically(store_.folder() / file, "content of " + id);
            store_.add_file(record.result, file);
        }
        return record;
    }

    void SetUp() override { store_.prepare({.latents = true}); }

    test::TemporaryFolder folder_;
    OutputStore store_{folder_ / "deep/out"};
};

TEST_F(OutputStoreTest, names_are_where_the_documentation_says) {
    const fs::path out = folder_ / "deep/out";
    EXPECT_EQ(store_.manifest(), out / "manifest.jsonl");
    EXPECT_EQ(store_.job_file(), out / "job.json");
    EXPECT_EQ(store_.videos(), out / "videos");
    EXPECT_EQ(store_.conditioning(), out / "conditioning");
    EXPECT_EQ(store_.latent("cat"), out / "latents/cat.safetensors");
    EXPECT_EQ(store_.frames("cat"), out / "frames/cat.safetensors");
}

TEST_F(OutputStoreTest, makes_the_folders_that_are_needed) {
    EXPECT_TRUE(fs::is_directory(store_.videos()));
    EXPECT_TRUE(fs::is_directory(store_.folder() / "latents"));
    EXPECT_FALSE(fs::exists(store_.folder() / "frames"));
}

TEST_F(OutputStoreTest, removes_only_what_was_left_unfinished) {
    fs::create_directory(store_.videos() / ".b.part");
    for (const char* name : {".manifest.jsonl.part",
                             "videos/.a.mp4.part",
                             "videos/.b.part/000000.png",
                             "latents/.c.safetensors.part",
                             // not ours:
                             "videos/z.mp4",
                             "videos/.hidden",
                             "videos/film.part",
                             "notes.txt"}) {
        write_file_atomically(store_.folder() / name, "x");
    }
    fs::create_directory(folder_ / "elsewhere");
    write_file_atomically(folder_ / "elsewhere/kept", "x");
    fs::create_directory_symlink(folder_ / "elsewhere", store_.videos() / ".link.part");

    EXPECT_EQ(store_.prepare({}), 5);

    EXPECT_THAT(posix_file_system().list(store_.folder()),
                testing::ElementsAre("latents", "notes.txt", "videos"));
    EXPECT_THAT(posix_file_system().list(store_.videos()),
                testing::ElementsAre(".hidden", "film.part", "z.mp4"));
    EXPECT_TRUE(fs::is_empty(store_.folder() / "latents"));
    EXPECT_TRUE(fs::exists(folder_ / "elsewhere/kept"));
    EXPECT_EQ(store_.prepare({}), 0);
}

TEST_F(OutputStoreTest, records_sizes_and_checksums) {
    write_file_atomically(store_.videos() / "a.mp4", "reelyard");
    TaskResult result;

    store_.add_file(result, "videos/a.mp4");

    EXPECT_EQ(result.bytes.at("videos/a.mp4"), 8);
    EXPECT_THAT(result.files.at("videos/a.mp4"), testing::MatchesRegex("[0-9a-f]{16}"));
    EXPECT_THROW(store_.add_file(result, "videos/b.mp4"), Error);
}

TEST_F(OutputStoreTest, complete_means_done_and_every_file_there_in_its_size) {
    const Record record = make_complete("a");
    EXPECT_TRUE(store_.is_complete(record));

    write_file_atomically(store_.latent("a"), "content of b");  // as long as before
    EXPECT_TRUE(store_.is_complete(record));
    EXPECT_FALSE(store_.is_complete(record, OutputStore::Check::checksums));

    write_file_atomically(store_.latent("a"), "short");
    EXPECT_FALSE(store_.is_complete(record));

    fs::remove(store_.latent("a"));
    EXPECT_FALSE(store_.is_complete(record));
}

TEST_F(OutputStoreTest, failed_tasks_and_such_without_files_are_not_complete) {
    Record no_files = make_complete("a");
    no_files.result.files.clear();
    Record failed = make_complete("b");
    failed.result.state = TaskResult::State::failed;

    EXPECT_FALSE(store_.is_complete(no_files));
    EXPECT_FALSE(store_.is_complete(failed));
}

TEST_F(OutputStoreTest, what_is_missing_keeps_its_order) {
    Ledger ledger;
    ledger.put(make_complete("done"));
    ledger.put(make_complete("deleted"));
    ledger.put(test::make_failure("failed", "no memory"));
    fs::remove(store_.videos() / "deleted.mp4");

    const auto missing = store_.missing(ledger,
                                        {test::make_task("new"),
                                         test::make_task("done"),
                                         test::make_task("failed"),
                                         test::make_task("deleted")});

    std::vector<std::string> ids;
    for (const Task& task : missing) {
        ids.push_back(task.id);
    }
    EXPECT_THAT(ids, testing::ElementsAre("new", "failed", "deleted"));
}

}  // namespace
}  // namespace reelyard::journal
