#include <csignal>
#include <future>
#include <regex>
#include <set>

#include "fault_test.hpp"

// A store that is whole, on storage that is not, or read by a job that is struck.
namespace reelyard::cli {
namespace {

namespace fs = std::filesystem;
using parity::Outcome;
using testing::AnyOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Key;

constexpr int timed_out = 124;  // of timeout(1)

class StorageFaults : public FaultTest {
protected:
    [[nodiscard]] static Faults on_read(const std::string& what) {
        return {{"FAULTY_FILE", "faulty.h5"}, {"FAULTY_READS", what}};
    }
    [[nodiscard]] static Faults on_read(const std::string& what, std::int64_t offset) {
        Faults faults = on_read(what);
        faults["FAULTY_BYTE"] = std::to_string(offset);
        return faults;
    }
};

/// The first byte that the message says could not be read, and the one behind the last.
std::pair<std::int64_t, std::int64_t> range_in(const std::string& message) {
    std::smatch found;
    if (!std::regex_search(message, found, std::regex("reading ([0-9]+) bytes at byte ([0-9]+)"))) {
        return {};
    }
    const std::int64_t begin = std::stoll(found[2]);
    return {begin, begin + std::stoll(found[1])};
}

/// What jobs that have ended left in /dev/shm. The names hold the number of the process.
std::set<std::string> left_in_shared_memory() {
    std::set<std::string> left;
    const std::regex pattern("reelyard-([0-9]+)-[0-9]+");
    for (const auto& entry : fs::directory_iterator("/dev/shm")) {
        std::smatch found;
        const std::string name = entry.path().filename().string();
        if (entry.is_regular_file() && std::regex_match(name, found, pattern) &&
            ::kill(static_cast<pid_t>(std::stol(found[1])), 0) != 0 && fs::exists(entry.path())) {
            left.insert(name);
        }
    }
    return left;
}

TEST_F(StorageFaults, broken_disk_ends_the_job_with_one_message) {
    const std::int64_t broken = tensor_of("transformer").middle();
    for (const std::string& transport : transports) {
        for (const int ranks : {1, 2, 4}) {
            SCOPED_TRACE(transport + ", ranks: " + std::to_string(ranks));

            const Outcome failed = run({.ranks = ranks,
                                        .options = {"--load.transport=" + transport},
                                        .faults = on_read("fail", broken)});

            EXPECT_EQ(failed.exit_code, 5) << failed.output;
            EXPECT_EQ(count_errors(failed), 1) << failed.output;
            EXPECT_THAT(failed.output, HasSubstr(store().string()));
            const auto [begin, end] = range_in(failed.output);
            EXPECT_GT(end, begin) << failed.output;
            if (transport == "direct") {  // otherwise one rank may read what others are to get
                EXPECT_LE(begin, broken);
                EXPECT_GT(end, broken);
                EXPECT_THAT(failed.output, HasSubstr("Input/output error"));
            }
            EXPECT_THAT(videos(), IsEmpty());
        }
    }
}

TEST_F(StorageFaults, broken_disk_below_the_index_is_no_broken_file) {
    for (const std::int64_t broken : {std::int64_t{0}, index_offset()}) {
        SCOPED_TRACE(broken);

        const Outcome failed = run({.ranks = 2, .faults = on_read("fail", broken)});

        EXPECT_EQ(failed.exit_code, 5) << failed.output;
        EXPECT_EQ(count_errors(failed), 1) << failed.output;
        EXPECT_THAT(failed.output, HasSubstr(store().string()));
        EXPECT_THAT(failed.output, HasSubstr("Input/output error"));
    }
}

TEST_F(StorageFaults, what_was_made_before_stays_and_a_rerun_makes_the_rest) {
    write_prompts({"a", "b"});
    const auto expected = videos_without_faults();
    write_prompts({"a"});
    ASSERT_EQ(run({}).exit_code, 0);
    write_prompts({"a", "b"});

    const Outcome failed =
        go_on({.ranks = 2, .faults = on_read("fail", tensor_of("vae").middle())});
    EXPECT_EQ(failed.exit_code, 5) << failed.output;
    EXPECT_THAT(videos(), testing::ElementsAre(*expected.begin()));

    const Outcome made = go_on({.ranks = 2});
    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_EQ(videos(), expected);
}

TEST_F(StorageFaults, reads_that_come_short_or_are_refused_change_nothing) {
    const auto expected = videos_without_faults();
    for (const std::string what : {"short", "interrupt", "refuse_direct"}) {
        for (const int ranks : {1, 2}) {
            SCOPED_TRACE(what + ", ranks: " + std::to_string(ranks));

            const Outcome made = run(
                {.ranks = ranks, .options = {"--load.transport=direct"}, .faults = on_read(what)});

            EXPECT_EQ(made.exit_code, 0) << made.output;
            EXPECT_EQ(videos(), expected);
        }
    }
}

TEST_F(StorageFaults, file_system_without_direct_reads_changes_nothing) {
    const auto expected = videos_without_faults();

    const Outcome made =
        run({.ranks = 2,
             .options = {"--load.transport=direct"},
             .faults = {{"FAULTY_FILE", "faulty.h5"}, {"FAULTY_OPEN", "refuse_direct"}}});

    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_EQ(videos(), expected);
}

// MPI-IO libraries differ in what they make of such reads, and not all of them tell.
TEST_F(StorageFaults, collective_reads_that_come_short_are_made_good_or_end_the_job) {
    const auto expected = videos_without_faults();
    for (const std::string what : {"short", "interrupt"}) {
        for (const int ranks : {1, 2, 4}) {
            SCOPED_TRACE(what + ", ranks: " + std::to_string(ranks));

            const Outcome outcome = run({.ranks = ranks,
                                         .options = {"--load.transport=collective"},
                                         .faults = on_read(what, tensor_of("transformer").offset)});

            EXPECT_THAT(outcome.exit_code, AnyOf(0, 3, 5)) << outcome.output;
            if (outcome.exit_code == 0) {
                EXPECT_EQ(videos(), expected);
            } else {
                EXPECT_GE(count_errors(outcome), 1) << outcome.output;
                EXPECT_THAT(videos(), IsEmpty());
            }
        }
    }
}

TEST_F(StorageFaults, killed_rank_ends_the_job_and_leaves_no_memory_behind) {
    const auto left_before = left_in_shared_memory();
    const std::int64_t middle = tensor_of("transformer").middle();
    for (const std::string& transport : transports) {
        for (const int ranks : {1, 4}) {
            SCOPED_TRACE(transport + ", ranks: " + std::to_string(ranks));

            const Outcome ended = run({.ranks = ranks,
                                       .options = {"--load.transport=" + transport},
                                       .faults = on_read("kill", middle)});

            EXPECT_NE(ended.exit_code, 0) << ended.output;
            EXPECT_NE(ended.exit_code, timed_out) << ended.output;
            EXPECT_EQ(left_in_shared_memory(), left_before);
        }
    }
    const Outcome made = go_on({.ranks = 2});
    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(videos(), Contains(Key("a.mp4")));
}

TEST_F(StorageFaults, two_jobs_read_one_store_at_once) {
    for (const std::string& transport : transports) {
        SCOPED_TRACE(transport);
        const Trial first{.ranks = 2, .options = {"--load.transport=" + transport}};
        Trial second = first;
        second.folder = "other";

        auto other = std::async(std::launch::async, [&] { return run(second); });
        const Outcome made = run(first);
        const Outcome other_made = other.get();

        EXPECT_EQ(made.exit_code, 0) << made.output;
        EXPECT_EQ(other_made.exit_code, 0) << other_made.output;
        EXPECT_THAT(videos(), Contains(Key("a.mp4")));
        EXPECT_EQ(videos("other"), videos());
    }
}

}  // namespace
}  // namespace reelyard::cli
