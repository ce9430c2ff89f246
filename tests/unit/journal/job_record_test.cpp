#include "reelyard/journal/job_record.hpp"

#include <gmock/gmock.h>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/error.hpp"

#include "test_records.hpp"

#include "reelyard/test/fake_file_system.hpp"
#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::journal {
namespace {

class JobRecordTest : public testing::Test {
protected:
    void expect_refused(const JobDescription& job, const std::string& message) const {
        try {
            check_same_job(path_, job);
            FAIL() << "was taken for the same job";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_THAT(error.what(), testing::HasSubstr(message));
        }
    }

    test::TemporaryFolder folder_;
    std::filesystem::path path_ = folder_ / "job.json";
    JobDescription job_{.settings = {{"model.checksum", "0123456789abcdef"},
                                     {"model.dtype", "bfloat16"},
                                     {"generate.steps", "30"},
                                     {"generate.negative_prompt", "blurry, \"ugly\"\n低"},
                                     {"output.video", "mp4"}},
                        .program = "reelyard 0.1.0"};
};

TEST_F(JobRecordTest, the_same_job_may_come_again_with_another_program_version) {
    check_same_job(path_, job_);
    const std::string written = read_text_file(path_);
    job_.program = "reelyard 0.2.0";
    check_same_job(path_, job_);

    EXPECT_EQ(read_text_file(path_), written);
}

TEST_F(JobRecordTest, names_the_first_setting_that_differs) {
    check_same_job(path_, job_);
    job_.settings[2].second = "40";
    job_.settings[4].second = "png";

    expect_refused(job_,
                   path_.string() +
                       ": 'generate.steps' was 30 (this job has 40); use another "
                       "output.dir");
}

TEST_F(JobRecordTest, a_setting_that_only_one_of_them_has_is_a_difference) {
    check_same_job(path_, job_);
    auto more = job_;
    more.settings.emplace_back("generate.sampler", "euler");
    auto less = job_;
    less.settings.pop_back();

    expect_refused(more, "'generate.sampler' was not set (this job has euler)");
    expect_refused(less, "'output.video' was mp4 (this job has none)");
}

TEST_F(JobRecordTest, long_values_are_shortened_between_letters) {
    job_.settings = {{"generate.negative_prompt", "a" + std::string(30, 'b')}};
    check_same_job(path_, job_);
    std::string long_text = "x";
    for (int i = 0; i < 100; ++i) {
        long_text += "低";
    }
    job_.settings = {{"generate.negative_prompt", long_text}};

    // 1 + 26 * 3 = 79 bytes; the next letter would end beyond 80.
    expect_refused(job_, "(this job has " + long_text.substr(0, 79) + "...)");
}

TEST_F(JobRecordTest, damaged_and_newer_files_are_named) {
    for (const auto* text :
         {"", "{", "[]", R"({"schema": 1})", R"({"schema": 1, "settings": 3})"}) {
        write_file_atomically(path_, text);
        expect_refused(job_, "job.json: is no job record");
    }
    write_file_atomically(path_, R"({"schema": 2, "settings": {}})");
    expect_refused(job_, "'schema' is 2 (this program reads 1)");
}

TEST_F(JobRecordTest, is_whole_or_absent_after_a_crash_at_any_instant) {
    bool through = false;
    for (int changes = 0; !through; ++changes) {
        std::filesystem::remove(path_);
        test::CrashingDisk disk(changes);
        try {
            check_same_job(path_, job_, disk);
            through = true;
        } catch (const test::Crash&) {
        }
        disk.lose_unsynced();

        EXPECT_NO_THROW(check_same_job(path_, job_)) << "crash at change " << changes;
    }
}

class SameTasksTest : public testing::Test {
protected:
    void check(const std::vector<Task>& tasks, const Maker& maker = test::make_maker()) const {
        check_same_tasks(ledger_, tasks, maker, "out/manifest.jsonl");
    }
    void expect_refused(const std::vector<Task>& tasks,
                        const Maker& maker,
                        const std::string& message) const {
        try {
            check(tasks, maker);
            FAIL() << "was taken for the same";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_THAT(error.what(), testing::HasSubstr(message));
        }
    }

    void SetUp() override {
        ledger_.put(test::make_record("cat"));
        ledger_.put(test::make_failure("dog", "no memory"));
    }

    Ledger ledger_;
};

TEST_F(SameTasksTest, a_list_may_grow_and_shrink) {
    EXPECT_NO_THROW(
        check({test::make_task("cat"), test::make_task("dog"), test::make_task("new")}));
    EXPECT_NO_THROW(check({test::make_task("new")}));
    EXPECT_NO_THROW(check({}));
}

TEST_F(SameTasksTest, a_prompt_that_failed_may_be_changed) {
    Task changed = test::make_task("dog");
    changed.steps = 10;

    EXPECT_NO_THROW(check({test::make_task("cat"), changed}));
}

TEST_F(SameTasksTest, names_id_and_field_of_a_done_prompt_that_was_changed) {
    Task steps = test::make_task("cat");
    steps.steps = 40;
    Task prompt = test::make_task("cat");
    prompt.prompt = "a dog";
    Task seed = test::make_task("cat");
    seed.seed = 18446744073709551614ULL;

    expect_refused({test::make_task("new"), steps},
                   test::make_maker(),
                   "out/manifest.jsonl: 'steps' of 'cat' was 30 (this job has 40)");
    expect_refused({prompt}, test::make_maker(), "'prompt' of 'cat' was \"a red circle");
    expect_refused(
        {seed}, test::make_maker(), "was 18446744073709551615 (this job has 18446744073709551614)");
}

TEST_F(SameTasksTest, another_model_is_a_difference_and_another_program_is_not) {
    Maker program = test::make_maker();
    program.program = "reelyard 9";
    Maker dtype = test::make_maker();
    dtype.dtype = "float32";
    Maker weights = test::make_maker();
    weights.checksum = "ffffffffffffffff";

    check({test::make_task("cat")}, program);
    expect_refused({test::make_task("cat")},
                   dtype,
                   "'model.dtype' of 'cat' was bfloat16 (this job has float32)");
    expect_refused({test::make_task("cat")}, weights, "'model.checksum' of 'cat' was 0123");
}

}  // namespace
}  // namespace reelyard::journal
