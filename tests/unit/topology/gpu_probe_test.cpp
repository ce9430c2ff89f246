#include "probe/gpu_probe.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "reelyard/base/bytes.hpp"

namespace reelyard::topology {
namespace {

using testing::ElementsAre;

Node two_sockets() {
    return {.name = "n",
            .numa = {{.cores = {0, 1, 2, 3}, .memory_bytes = 1, .memory_gb_per_s = 0},
                     {.cores = {4, 5, 6, 7}, .memory_bytes = 1, .memory_gb_per_s = 0}},
            .gpus = {},
            .island_link = {},
            .gpu_link = {},
            .numa_link = {},
            .memory_bytes = 2};
}

/// With the GPUs of a library that stands for NVIDIA's, and these links.
Node node_with(const std::string& links) {
    setenv("FAKE_NVML", links.c_str(), 1);
    Node node = two_sockets();
    add_gpus(node, find_gpus(REELYARD_FAKE_NVML));
    return node;
}

template <typename Member>
std::vector<int> of_gpus(const Node& node, Member member) {
    std::vector<int> values;
    for (const Gpu& gpu : node.gpus) {
        values.push_back(gpu.*member);
    }
    return values;
}

TEST(GpuProbe, finds_gpus_near_their_sockets) {
    const Node node = node_with("none");

    ASSERT_EQ(node.gpus.size(), 4U);
    EXPECT_EQ(node.gpus[2].model, "NVIDIA A100 80GB PCIe");
    EXPECT_EQ(node.gpus[2].memory_bytes, 80 * gibibyte);
    EXPECT_THAT(of_gpus(node, &Gpu::numa), ElementsAre(0, 0, 1, 1));
    EXPECT_THAT(of_gpus(node, &Gpu::island), ElementsAre(0, 0, 1, 1));
    EXPECT_EQ(node.island_link.kind, LinkKind::pcie);
    EXPECT_NEAR(node.island_link.gb_per_s, 31.5, 0.1);
}

TEST(GpuProbe, takes_gpus_that_nvlink_joins_for_an_island) {
    const Node pairs = node_with("pairs");
    const Node all = node_with("switch");

    EXPECT_THAT(of_gpus(pairs, &Gpu::island), ElementsAre(0, 0, 2, 2));
    EXPECT_EQ(pairs.island_link, (Link{.kind = LinkKind::nvlink, .gb_per_s = 100}));
    EXPECT_EQ(pairs.gpu_link.kind, LinkKind::pcie);
    EXPECT_THAT(of_gpus(all, &Gpu::island), ElementsAre(0, 0, 0, 0));
    EXPECT_EQ(all.island_link, (Link{.kind = LinkKind::nvlink, .gb_per_s = 450}));
}

TEST(GpuProbe, finds_none_without_a_driver) {
    EXPECT_TRUE(node_with("broken").gpus.empty());
    EXPECT_TRUE(find_gpus("libno_such_library.so.1").empty());
}

}  // namespace
}  // namespace reelyard::topology
