#include "reelyard/topology/picture.hpp"

#include <gmock/gmock.h>

namespace reelyard::topology {
namespace {

Inventory cluster() {
    return read_inventory(std::string(REELYARD_TOPOLOGIES) + "/a100x4_pcie.json");
}

TEST(Picture, shows_nodes_that_are_alike_once) {
    EXPECT_EQ(picture_of(with_nodes(cluster(), 8)),
              "8 nodes, 512 cores, 32 GPUs; network into a node: 25 GB/s\n"
              "\n"
              "a100x4-1 to a100x4-8  512 GiB\n"
              "  NUMA 0  32 cores (0-31), 256 GiB at 204.8 GB/s\n"
              "    GPU 0  NVIDIA A100 80GB PCIe, 80 GiB, island 0\n"
              "    GPU 1  NVIDIA A100 80GB PCIe, 80 GiB, island 0\n"
              "  NUMA 1  32 cores (32-63), 256 GiB at 204.8 GB/s\n"
              "    GPU 2  NVIDIA A100 80GB PCIe, 80 GiB, island 1\n"
              "    GPU 3  NVIDIA A100 80GB PCIe, 80 GiB, island 1\n"
              "  between NUMA domains: 31.5 GB/s\n"
              "  between GPUs of an island: pcie, 31.5 GB/s\n"
              "  between islands: pcie, 25 GB/s\n");
}

TEST(Picture, shows_where_ranks_are) {
    const auto text = picture_of(with_ranks(with_nodes(cluster(), 2), 8));

    EXPECT_THAT(text, testing::HasSubstr("2 nodes, 128 cores, 8 GPUs, 16 ranks;"));
    EXPECT_THAT(
        text,
        testing::HasSubstr("GPU 3  NVIDIA A100 80GB PCIe, 80 GiB, island 1  <- ranks 14-15\n"));
}

TEST(Picture, says_what_is_not_known) {
    Inventory machine = cluster();
    machine.network_gb_per_s = 0;
    machine.nodes[0].gpus.clear();
    machine.nodes[0].numa_link = {};

    const auto text = picture_of(with_ranks(machine, 1));

    EXPECT_THAT(text, testing::StartsWith("1 node, 64 cores, 1 rank\n"));
    EXPECT_THAT(text, testing::HasSubstr("between NUMA domains: speed unknown\n"));
    EXPECT_THAT(text, testing::HasSubstr("at 204.8 GB/s  <- rank 0\n"));
}

}  // namespace
}  // namespace reelyard::topology
