#include "reelyard/journal/folder_lock.hpp"

#include <array>
#include <optional>

#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::journal {
namespace {

namespace fs = std::filesystem;
using Locks = FolderLock::Locks;

/// Another process that takes the lock and keeps it until it is ended without cleaning up.
class OtherRun {
public:
    OtherRun(const fs::path& folder, Locks locks) {
        std::array<int, 2> ready{};
        EXPECT_EQ(pipe(ready.data()), 0);
        process_ = fork();
        if (process_ == 0) {
            hold(folder, locks, ready[1]);
        }
        close(ready[1]);
        char byte = 0;
        EXPECT_EQ(read(ready[0], &byte, 1), 1) << "the other process could not take the lock";
        close(ready[0]);
    }
    OtherRun(const OtherRun&) = delete;
    OtherRun& operator=(const OtherRun&) = delete;
    ~OtherRun() { crash(); }

    void crash() {
        if (process_ > 0) {
            kill(process_, SIGKILL);
            waitpid(process_, nullptr, 0);
            process_ = 0;
        }
    }
    [[nodiscard]] pid_t process() const { return process_; }

private:
    [[noreturn]] static void hold(const fs::path& folder, Locks locks, int ready) {
        try {
            const FolderLock lock(folder, locks);
            if (write(ready, "x", 1) == 1) {
                while (true) {
                    pause();
                }
            }
        } catch (const Error&) {
            _exit(1);
        }
        _exit(0);
    }

    pid_t process_ = 0;
};

class FolderLockTest : public testing::TestWithParam<Locks> {
protected:
    void expect_refused(const std::string& part) const {
        try {
            const FolderLock lock(folder_.path(), GetParam());
            FAIL() << "was locked twice";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::resources);
            EXPECT_THAT(error.what(),
                        testing::AllOf(testing::HasSubstr((folder_ / "run.lock").string()),
                                       testing::HasSubstr(part)));
        }
    }

    test::TemporaryFolder folder_;
};

TEST_P(FolderLockTest, refuses_a_second_run_and_names_the_first) {
    const OtherRun other(folder_.path(), GetParam());
    std::array<char, 256> host{};
    ASSERT_EQ(gethostname(host.data(), host.size() - 1), 0);

    expect_refused("process " + std::to_string(other.process()) + " on " + host.data() +
                   ", since 2");
}

TEST_P(FolderLockTest, refuses_a_second_lock_in_one_process) {
    const FolderLock lock(folder_.path(), GetParam());

    expect_refused(std::to_string(getpid()));
}

TEST_P(FolderLockTest, a_run_that_crashed_is_in_nobodys_way) {
    OtherRun other(folder_.path(), GetParam());
    other.crash();
    ASSERT_TRUE(fs::exists(folder_ / "run.lock"));

    EXPECT_NO_THROW(FolderLock(folder_.path(), GetParam()));
}

TEST_P(FolderLockTest, leaves_no_file_and_can_be_taken_again) {
    { const FolderLock lock(folder_.path(), GetParam()); }

    EXPECT_TRUE(fs::is_empty(folder_.path()));
    EXPECT_NO_THROW(FolderLock(folder_.path(), GetParam()));
}

TEST_P(FolderLockTest, a_refused_run_leaves_the_lock_alone) {
    const FolderLock lock(folder_.path(), GetParam());
    const std::string before = read_text_file(folder_ / "run.lock");

    expect_refused("another run");
    expect_refused("another run");

    EXPECT_EQ(read_text_file(folder_ / "run.lock"), before);
}

INSTANTIATE_TEST_SUITE_P(Kinds,
                         FolderLockTest,
                         testing::Values(Locks::kernel, Locks::by_presence),
                         [](const auto& parameter) {
                             return parameter.param == Locks::kernel ? "kernel" : "by_presence";
                         });

TEST(FolderLock, without_locks_a_run_of_another_machine_counts_until_its_file_is_removed) {
    const test::TemporaryFolder folder;
    write_file_atomically(folder / "run.lock",
                          R"({"host": "far-away", "process": 1, "since": "2026-01-31T12:00:00Z"})");

    try {
        const FolderLock lock(folder.path(), Locks::by_presence);
        FAIL() << "was taken over";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(),
                    testing::AllOf(testing::HasSubstr("process 1 on far-away"),
                                   testing::HasSubstr("if it has ended, remove this file")));
    }
    fs::remove(folder / "run.lock");
    EXPECT_NO_THROW(FolderLock(folder.path(), Locks::by_presence));
}

TEST(FolderLock, with_locks_a_file_that_nobody_holds_is_taken_over) {
    const test::TemporaryFolder folder;
    write_file_atomically(folder / "run.lock",
                          R"({"host": "far-away", "process": 1, "since": "2026-01-31T12:00:00Z"})");

    EXPECT_NO_THROW(FolderLock(folder.path()));
}

TEST(FolderLock, a_missing_folder_is_named) {
    const test::TemporaryFolder folder;
    try {
        const FolderLock lock(folder / "nowhere");
        FAIL() << "was locked";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::storage);
        EXPECT_THAT(error.what(), testing::HasSubstr("nowhere/run.lock"));
    }
}

}  // namespace
}  // namespace reelyard::journal
