#include "reelyard/topology/node_probe.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <unistd.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

namespace reelyard::topology {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(NodeProbe, reads_a_node_from_xml_of_hwloc) {
    const Node node = node_from_hwloc_xml(REELYARD_TOPOLOGY_DATA "/two_sockets.xml");

    EXPECT_EQ(node.name, "gpu01");
    EXPECT_EQ(node.memory_bytes, 64 * gibibyte);
    ASSERT_EQ(node.numa.size(), 2U);
    // Two hardware threads a core: 0 and 8, 1 and 9, ...
    EXPECT_THAT(node.numa[0].cores, ElementsAre(0, 1, 2, 3));
    EXPECT_THAT(node.numa[1].cores, ElementsAre(4, 5, 6, 7));
    EXPECT_EQ(node.numa[1].memory_bytes, 32 * gibibyte);
    ASSERT_EQ(node.gpus.size(), 2U);
    EXPECT_EQ(node.gpus[0].model, "NVIDIA GA100 [A100 PCIe 80GB]");
    EXPECT_EQ(node.gpus[0].numa, 0);
    EXPECT_EQ(node.gpus[1].numa, 1);
    EXPECT_EQ(node.island_link.kind, LinkKind::pcie);
    EXPECT_NEAR(node.island_link.gb_per_s, 31.5, 0.1);
}

TEST(NodeProbe, is_used_for_files_that_end_in_xml) {
    const Inventory inventory = read_inventory(REELYARD_TOPOLOGY_DATA "/two_sockets.xml");

    EXPECT_EQ(inventory.nodes.size(), 1U);
    EXPECT_EQ(with_ranks(inventory).ranks.size(), 2U);
}

TEST(NodeProbe, names_a_file_that_is_no_xml_of_hwloc) {
    const auto path = std::filesystem::temp_directory_path() /
                      ("reelyard_node_probe_" + std::to_string(getpid()) + ".xml");
    std::ofstream(path) << "<html>no machine</html>";

    try {
        static_cast<void>(node_from_hwloc_xml(path));
        ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.message(), HasSubstr(path.string()));
    }
    std::filesystem::remove(path);
    EXPECT_THROW(static_cast<void>(node_from_hwloc_xml("no/such.xml")), Error);
}

TEST(NodeProbe, finds_the_cores_and_the_memory_of_this_machine) {
    const ProbedNode probed = probe_node();

    EXPECT_FALSE(probed.node.name.empty());
    EXPECT_GE(probed.node.cores(), 1);
    EXPECT_LE(probed.node.cores(), sysconf(_SC_NPROCESSORS_CONF));
    EXPECT_GT(probed.node.memory_bytes, 0);
    EXPECT_LE(probed.node.memory_bytes, sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE));
    EXPECT_EQ(probed.gpu_ids.size(), probed.node.gpus.size());
    EXPECT_EQ(threads_by_domain().size(), probed.node.numa.size());
}

}  // namespace
}  // namespace reelyard::topology
