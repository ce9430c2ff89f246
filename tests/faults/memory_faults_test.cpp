#include <fstream>

#include <sys/mman.h>

#include "fault_test.hpp"

// Nodes whose memory, or whose part of it that ranks can share, is too small for the weights.
namespace reelyard::cli {
namespace {

using parity::Outcome;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

constexpr const char* no_room = "4096";

class MemoryFaults : public FaultTest {
protected:
    /// A file like /proc/meminfo of a machine that has nothing left.
    [[nodiscard]] std::string exhausted_memory() const {
        const auto path = scratch() / "meminfo";
        std::ofstream(path) << "MemTotal:       16000000 kB\nMemAvailable:      1000 kB\n";
        return path.string();
    }

    /// Starts a program with a /dev/shm of 2 MiB of its own.
    static constexpr const char* in_small_room =
        "unshare -m sh -c 'mount -t tmpfs -o size=2m tmpfs /dev/shm && exec \"$@\"' sh ";
    [[nodiscard]] static bool can_have_small_room() {
        return std::system((std::string(in_small_room) + "true 2>/dev/null").c_str()) == 0;
    }
    /// The messages between ranks go another way there: they need /dev/shm, too.
    static constexpr const char* messages_without_shared_memory = "env OMPI_MCA_btl=self,tcp ";
};

TEST_F(MemoryFaults, without_shared_memory_each_rank_has_its_own_copy) {
    const auto expected = videos_without_faults();
    for (const int ranks : {2, 4}) {
        const Outcome made = run({.ranks = ranks, .faults = {{"FAULTY_ROOM", no_room}}});

        EXPECT_EQ(made.exit_code, 0) << made.output;
        EXPECT_EQ(videos(), expected);
        EXPECT_THAT(made.output,
                    AllOf(HasSubstr("each rank of a node has a copy of its own"),
                          ContainsRegex("/dev/shm has 4.00 KiB free of the .* that one")));
    }
}

TEST_F(MemoryFaults, when_copies_do_not_fit_either_both_sizes_are_told) {
    const Outcome refused = run(
        {.ranks = 2, .faults = {{"FAULTY_ROOM", no_room}, {"FAULTY_MEMORY", exhausted_memory()}}});

    EXPECT_EQ(refused.exit_code, 4) << refused.output;
    EXPECT_EQ(count_errors(refused), 1) << refused.output;
    EXPECT_THAT(
        refused.output,
        ContainsRegex("2 copies of the weights.* need [0-9.]+ MiB .available: 0.98 MiB.*/dev/shm"));
}

TEST_F(MemoryFaults, one_shared_copy_that_does_not_fit_is_refused_beforehand) {
    for (const int ranks : {1, 2}) {
        const Outcome refused =
            run({.ranks = ranks, .faults = {{"FAULTY_MEMORY", exhausted_memory()}}});

        EXPECT_EQ(refused.exit_code, 4) << refused.output;
        EXPECT_EQ(count_errors(refused), 1) << refused.output;
        EXPECT_THAT(refused.output,
                    ContainsRegex("the weights need [0-9.]+ MiB .available: 0.98 MiB."));
    }
}

TEST_F(MemoryFaults, shared_memory_that_turns_out_to_be_full_is_an_error_and_no_crash) {
#ifndef MADV_POPULATE_WRITE
    GTEST_SKIP() << "this system cannot make pages present beforehand";
#endif
    for (const std::string& transport : transports) {
        for (const std::string dtype : {"bfloat16", "float32"}) {
            SCOPED_TRACE(transport + ", " + dtype);

            const Outcome failed =
                run({.ranks = 2,
                     .options = {"--load.transport=" + transport, "--model.dtype=" + dtype},
                     .faults = {{"FAULTY_PAGES", "refuse"}}});

            EXPECT_EQ(failed.exit_code, 4) << failed.output;
            EXPECT_EQ(count_errors(failed), 1) << failed.output;
            EXPECT_THAT(failed.output, HasSubstr("/dev/shm or the node's memory is full"));
        }
    }
}

TEST_F(MemoryFaults, small_shared_memory_is_seen_beforehand) {
    if (!can_have_small_room()) {
        GTEST_SKIP() << "no small /dev/shm can be mounted here";
    }
    const auto expected = videos_without_faults();

    const Outcome made =
        run({.ranks = 2, .wrapper = std::string(messages_without_shared_memory) + in_small_room});

    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_EQ(videos(), expected);
    EXPECT_THAT(made.output, ContainsRegex("/dev/shm has [0-9.]+ MiB free of the .* that one"));
}

TEST_F(MemoryFaults, shared_memory_that_others_fill_meanwhile_is_an_error_and_no_crash) {
    if (!can_have_small_room()) {
        GTEST_SKIP() << "no small /dev/shm can be mounted here";
    }
    for (const std::string& transport : transports) {
        for (const std::string dtype : {"bfloat16", "float32"}) {
            SCOPED_TRACE(transport + ", " + dtype);

            // There seems to be room when it is asked for.
            const Outcome failed =
                run({.ranks = 2,
                     .options = {"--load.transport=" + transport, "--model.dtype=" + dtype},
                     .faults = {{"FAULTY_ROOM", "1000000000"}},
                     .wrapper = std::string(messages_without_shared_memory) + in_small_room});

            EXPECT_EQ(failed.exit_code, 4) << failed.output;
            EXPECT_EQ(count_errors(failed), 1) << failed.output;
            EXPECT_THAT(failed.output, HasSubstr("/dev/shm"));
        }
    }
}

}  // namespace
}  // namespace reelyard::cli
