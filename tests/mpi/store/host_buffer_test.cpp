#include "memory/host_buffer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/mpi/communicator.hpp"

#include "reelyard/test/shared_folder.hpp"

namespace reelyard::store {
namespace {

class HostBufferTest : public testing::Test {
protected:
    const mpi::Communicator world_ = test::world();
};

/// Each rank fills its share of what all have.
void fill_share(const HostBuffer& buffer, const mpi::Communicator& group) {
    const std::int64_t share = buffer.size() / group.size();
    const auto own = buffer.part(group.rank() * share, share);
    populate(own);
    std::fill(own.begin(), own.end(), std::byte(group.rank() + 1));
    group.barrier();
}

bool is_filled_by_all(const HostBuffer& buffer, const mpi::Communicator& group) {
    const std::int64_t share = buffer.size() / group.size();
    for (int rank = 0; rank < group.size(); ++rank) {
        const auto part = buffer.part(rank * share, share);
        if (std::count(part.begin(), part.end(), std::byte(rank + 1)) != share) {
            return false;
        }
    }
    return true;
}

/// KiB of the mapping at `address` that the system says are in huge pages.
std::int64_t huge_kibibytes(const std::byte* address) {
    std::ostringstream begin;
    begin << std::hex << reinterpret_cast<std::uintptr_t>(address) << '-';
    std::ifstream maps("/proc/self/smaps");
    bool is_inside = false;
    for (std::string line; std::getline(maps, line);) {
        if (line.find(" kB") == std::string::npos && line.find('-') != std::string::npos) {
            is_inside = line.starts_with(begin.str());
        }
        if (is_inside && line.starts_with("ShmemPmdMapped:")) {
            return std::stoll(line.substr(line.find(':') + 1));
        }
    }
    return 0;
}

bool gives_huge_pages() {
    std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
    std::string line;
    return std::getline(file, line) && line.find("[never]") == std::string::npos;
}

/// From here on the system refuses this process user namespaces, as many clusters do.
void refuse_user_namespaces() {
    std::array<sock_filter, 6> program{{
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args)),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_NEWUSER, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    }};
    const sock_fprog filter{.len = program.size(), .filter = program.data()};
    ASSERT_EQ(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ASSERT_EQ(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter), 0);
}

TEST_F(HostBufferTest, what_one_rank_writes_all_ranks_see) {
    for (const std::int64_t bytes : {24 * kibibyte, 24 * mebibyte, 72 * mebibyte}) {
        const HostBuffer buffer = HostBuffer::shared(bytes, world_);

        fill_share(buffer, world_);

        EXPECT_TRUE(is_filled_by_all(buffer, world_)) << bytes;
        world_.barrier();
    }
}

TEST_F(HostBufferTest, large_shared_memory_is_in_huge_pages_or_says_why_not) {
    constexpr std::int64_t bytes = 72 * mebibyte;
    const HostBuffer buffer = HostBuffer::shared(bytes, world_);
    fill_share(buffer, world_);
    if (!gives_huge_pages()) {
        GTEST_SKIP() << "huge pages are switched off here";
    }

    ASSERT_TRUE(is_filled_by_all(buffer, world_));
    if (buffer.small_pages_reason().empty()) {
        EXPECT_GE(huge_kibibytes(buffer.data()) * kibibyte, bytes / 2);
    } else {
        EXPECT_THAT(buffer.small_pages_reason(), testing::HasSubstr("huge pages: "));
    }
}

TEST_F(HostBufferTest, shared_memory_outlives_the_rank_that_let_go_of_it_first) {
    HostBuffer buffer = HostBuffer::shared(72 * mebibyte, world_);
    fill_share(buffer, world_);
    if (world_.rank() == 0) {
        const HostBuffer gone = std::move(buffer);
    }
    world_.barrier();

    if (world_.rank() != 0) {
        EXPECT_TRUE(is_filled_by_all(buffer, world_));
    }
}

// The last one: a process cannot take such a filter back.
TEST_F(HostBufferTest, where_one_rank_is_refused_a_namespace_all_share_small_pages) {
    if (world_.rank() == 0) {
        refuse_user_namespaces();
    }
    const HostBuffer buffer = HostBuffer::shared(72 * mebibyte, world_);

    fill_share(buffer, world_);

    EXPECT_TRUE(is_filled_by_all(buffer, world_));
    EXPECT_THAT(buffer.small_pages_reason(),
                testing::HasSubstr("user namespace: Operation not permitted"));
    world_.barrier();
}

}  // namespace
}  // namespace reelyard::store
