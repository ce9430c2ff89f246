#include "reelyard/parallel/backend_registry.hpp"

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"
#include "reelyard/parallel/nccl_backend.hpp"

#include "reelyard/test/shared_folder.hpp"

namespace reelyard::parallel {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr auto cpu = c10::DeviceType::CPU;

TEST(BackendRegistry, ranks_on_cpus_talk_over_mpi) {
    EXPECT_EQ(choose_backend("auto", test::world(), cpu), "mpi");
    EXPECT_EQ(choose_backend("mpi", test::world(), cpu), "mpi");
}

TEST(BackendRegistry, nccl_without_a_gpu_for_each_rank_is_refused) {
    try {
        (void)choose_backend("nccl", test::world(), cpu);
        ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::resources);
        EXPECT_THAT(error.message(), AllOf(HasSubstr("'nccl', but"), HasSubstr("use mpi or auto")));
    }
}

TEST(BackendRegistry, what_is_no_backend_is_refused) {
    try {
        (void)choose_backend("pigeon", test::world(), cpu);
        ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.message(), HasSubstr("'pigeon' (expected one of: auto, mpi, nccl)"));
    }
}

TEST(BackendRegistry, a_rank_alone_needs_no_backend) {
    const mpi::Communicator ranks = test::world();

    EXPECT_EQ(make_backend(ranks.duplicate(), {.timeout = 10.0}) == nullptr, ranks.size() == 1);
    EXPECT_EQ(make_backend(ranks.split(ranks.rank(), 0), {.timeout = 10.0}), nullptr);
}

TEST(NcclBackend, is_refused_by_a_program_that_is_built_without_it) {
    if (has_nccl()) {
        GTEST_SKIP() << "built with NCCL";
    }
    try {
        (void)make_nccl_backend(test::world(), cpu, 10.0);
        ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::resources);
        EXPECT_THAT(error.message(), HasSubstr("built without CUDA"));
    }
}

}  // namespace
}  // namespace reelyard::parallel
