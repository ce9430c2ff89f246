#include "reelyard/mpi/agreement.hpp"

#include <new>
#include <string>

#include <gtest/gtest.h>

#include "reelyard/mpi/check.hpp"

namespace reelyard::mpi {
namespace {

Communicator world() {
    MPI_Comm copy = MPI_COMM_NULL;
    check(MPI_Comm_dup(MPI_COMM_WORLD, &copy), "MPI_Comm_dup");
    return Communicator::adopt(copy);
}

TEST(Agreement, lets_all_go_on_when_nobody_failed) {
    const Communicator group = world();

    EXPECT_NO_THROW(agree(group, std::nullopt));
    int calls = 0;
    together(group, [&] { ++calls; });
    EXPECT_EQ(calls, 1);
}

TEST(Agreement, throws_the_error_of_the_lowest_failing_rank_everywhere) {
    const Communicator group = world();
    const int origin = group.size() / 2;

    try {
        together(group, [&] {
            in_context(
                [&] {
                    require(group.rank() < origin,
                            ErrorKind::storage,
                            "file.bin: broken\nby rank {}",
                            group.rank());
                },
                "reading tensor '{}'",
                "a b");
        });
        FAIL() << "no error on rank " << group.rank();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::storage);
        EXPECT_EQ(error.message(), "file.bin: broken\nby rank " + std::to_string(origin));
        ASSERT_FALSE(error.context().empty());
        EXPECT_EQ(error.context().front(), "reading tensor 'a b'");
        const std::string what = error.what();
        const std::string place = "on rank " + std::to_string(origin);
        EXPECT_EQ(what.find(place) != std::string::npos, group.rank() != origin) << what;
    }
}

TEST(Agreement, makes_errors_of_the_standard_library_ours) {
    const Communicator group = world();

    try {
        together(group, [&] {
            if (group.rank() == group.size() - 1) {
                throw std::bad_alloc();
            }
        });
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::resources);
    }
}

TEST(Agreement, never_agrees_on_a_failure_of_communication) {
    const Communicator group = world();

    // No rank waits for another here: with a broken connection nobody could answer.
    EXPECT_THROW(agree(group, Error(ErrorKind::communication, "lost")), Error);
}

TEST(Agreement, runs_on_the_root_alone_and_gives_all_its_text) {
    const Communicator group = world();
    int calls = 0;

    const std::string text = on_root(group, [&] {
        ++calls;
        return std::string("from the root");
    });

    EXPECT_EQ(text, "from the root");
    EXPECT_EQ(calls, group.rank() == 0 ? 1 : 0);
}

TEST(Agreement, throws_the_root_s_error_on_all) {
    const Communicator group = world();

    try {
        (void)on_root(group, []() -> std::string { fail(ErrorKind::input, "no such file"); });
        FAIL() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_EQ(error.message(), "no such file");
    }
}

}  // namespace
}  // namespace reelyard::mpi
