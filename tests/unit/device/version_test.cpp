#include "reelyard/device/version.hpp"

#include <gmock/gmock.h>

namespace {

TEST(LibraryVersions, built_and_found_agree_for_libtorch) {
    const auto versions = reelyard::device::library_versions();

    ASSERT_EQ(versions.size(), 3U);
    EXPECT_EQ(versions[0].name, "LibTorch");
    EXPECT_THAT(versions[0].built, testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
    EXPECT_EQ(versions[0].found, versions[0].built);
}

TEST(LibraryVersions, cuda_and_nccl_come_together) {
    const auto versions = reelyard::device::library_versions();

    ASSERT_EQ(versions.size(), 3U);
    EXPECT_EQ(versions[1].name, "CUDA");
    EXPECT_EQ(versions[2].name, "NCCL");
    EXPECT_EQ(versions[1].built.empty(), versions[2].built.empty());
}

}  // namespace
