#include "reelyard/topology/inventory.hpp"

#include <string>

#include <gmock/gmock.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

namespace reelyard::topology {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string shipped(const std::string& name) {
    return std::string(REELYARD_TOPOLOGIES) + '/' + name + ".json";
}

/// What reading this text says is wrong.
std::string problem_with(const std::string& text) {
    try {
        static_cast<void>(inventory_from_json(text, "cluster.json"));
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        return error.message();
    }
    return "nothing";
}

/// A node with these keys beside the ones that it must have.
std::string with_node(const std::string& keys) {
    return R"({"nodes": [{"name": "n", "memory_gib": 1, "numa": [{"cores": "0-3", "memory_gib": 1}])" +
           keys + "}]}";
}

TEST(Inventory, reads_what_a_file_says) {
    const Inventory inventory = inventory_from_json(R"({
        "comment": ["from the data sheet", "and a guess"],
        "network_gb_per_s": 25,
        "nodes": [{
            "count": 2, "name": "g", "memory_gib": 64,
            "numa": [{"cores": "0-2,8", "memory_gib": 32, "memory_gb_per_s": 100.5},
                     {"cores": "3", "memory_gib": 32}],
            "numa_link": {"kind": "socket", "gb_per_s": 20},
            "gpus": [{"count": 2, "model": "A", "memory_gib": 0.5, "numa": 1, "island": 3}],
            "gpu_link": {"kind": "nvlink", "gb_per_s": 300}}],
        "ranks": [{"node": 1, "numa": 1, "gpu": 1, "cores": "3"}, {"node": 0, "cores": "0"}]
    })",
                                                    "cluster.json");

    EXPECT_EQ(inventory.comment, "from the data sheet\nand a guess");
    EXPECT_EQ(inventory.network_gb_per_s, 25);
    ASSERT_EQ(inventory.nodes.size(), 2U);
    const Node& node = inventory.nodes[1];
    EXPECT_EQ(node.name, "g-2");
    EXPECT_EQ(node.memory_bytes, 64 * gibibyte);
    ASSERT_EQ(node.numa.size(), 2U);
    EXPECT_THAT(node.numa[0].cores, ElementsAre(0, 1, 2, 8));
    EXPECT_EQ(node.numa[0].memory_gb_per_s, 100.5);
    EXPECT_EQ(node.cores(), 5);
    ASSERT_EQ(node.gpus.size(), 2U);
    EXPECT_EQ(node.gpus[1],
              (Gpu{.model = "A", .memory_bytes = gibibyte / 2, .numa = 1, .island = 3}));
    EXPECT_EQ(node.gpu_link, (Link{.kind = LinkKind::nvlink, .gb_per_s = 300}));
    EXPECT_EQ(node.island_link, Link{});
    EXPECT_THAT(inventory.ranks,
                ElementsAre(Place{.node = 1, .numa = 1, .gpu = 1, .cores = {3}},
                            Place{.node = 0, .numa = 0, .gpu = -1, .cores = {0}}));
}

TEST(Inventory, comes_back_the_same_from_its_text) {
    for (const std::string name :
         {"h100x8_nvlink", "a100x4_pcie", "l20x4_pcie", "dual_socket_cpu"}) {
        Inventory inventory = with_ranks(with_nodes(read_inventory(shipped(name)), 3));
        inventory.nodes[0].memory_bytes = 1'234'567'890'123;
        inventory.nodes[1].numa_link.gb_per_s = 0.1;

        EXPECT_EQ(inventory_from_json(to_json(inventory), "text"), inventory) << name;
    }
}

TEST(Inventory, names_file_and_key_of_what_is_wrong) {
    EXPECT_THAT(problem_with("{"), HasSubstr("cluster.json: not JSON: "));
    EXPECT_EQ(problem_with("{}"), "cluster.json: 'nodes' is missing");
    EXPECT_EQ(problem_with(R"({"nodes": [], "network": 3})"),
              "cluster.json: unknown key 'network' (expected one of: comment, network_gb_per_s, "
              "nodes, ranks)");
    EXPECT_EQ(problem_with(R"({"nodes": [{"name": 7}]})"),
              "cluster.json: nodes[0].name is 7 (expected a text)");
    EXPECT_EQ(problem_with(with_node(R"(, "gpu_link": {"kind": "wire"})")),
              "cluster.json: nodes[0].gpu_link.kind is \"wire\" (expected none, memory, socket, "
              "pcie, nvlink or network)");
    EXPECT_EQ(problem_with(with_node(R"(, "gpus": [{"model": "A", "memory_gib": 1, "numa": 1}])")),
              "cluster.json: nodes[0].gpus[0].numa is 1 (expected a whole number from 0 to 0)");
    EXPECT_EQ(problem_with(with_node(R"(, "gpus": [{"model": "A", "memory_gib": -1}])")),
              "cluster.json: nodes[0].gpus[0].memory_gib is -1 (expected a number, not below 0)");
}

TEST(Inventory, refuses_wrong_core_numbers) {
    for (const std::string cores : {"3-1", "0,0", "x", "1,", "-1", "0-", "99999999999"}) {
        const std::string text =
            R"({"nodes": [{"name": "n", "memory_gib": 1, "numa": [{"cores": ")" + cores +
            R"(", "memory_gib": 1}]}]})";
        EXPECT_THAT(problem_with(text), HasSubstr("cluster.json: nodes[0].numa[0].cores is "))
            << cores;
    }
}

TEST(Inventory, says_which_file_cannot_be_read) {
    try {
        static_cast<void>(read_inventory("no/such.json"));
        ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_EQ(error.message(), "no/such.json: cannot be read");
    }
}

TEST(Inventory, puts_a_rank_on_each_gpu_with_its_share_of_the_cores) {
    const Inventory inventory = with_ranks(with_nodes(read_inventory(shipped("a100x4_pcie")), 2));

    ASSERT_EQ(inventory.ranks.size(), 8U);
    EXPECT_EQ(inventory.ranks[6].node, 1);
    EXPECT_EQ(inventory.ranks[6].gpu, 2);
    EXPECT_EQ(inventory.ranks[6].numa, 1);
    EXPECT_EQ(inventory.ranks[6].cores.size(), 16U);
    EXPECT_EQ(inventory.ranks[6].cores.front(), 32);
    EXPECT_EQ(inventory.ranks[7].cores.front(), 48);
}

TEST(Inventory, shares_cores_evenly_without_gpus) {
    const Inventory machine = read_inventory(shipped("dual_socket_cpu"));

    const Inventory by_domain = with_ranks(machine);
    const Inventory four = with_ranks(machine, 4);

    ASSERT_EQ(by_domain.ranks.size(), 2U);
    EXPECT_EQ(by_domain.ranks[1].numa, 1);
    EXPECT_EQ(by_domain.ranks[1].cores.size(), 32U);
    ASSERT_EQ(four.ranks.size(), 4U);
    EXPECT_EQ(four.ranks[1].numa, 0);
    EXPECT_EQ(four.ranks[1].cores.front(), 16);
    EXPECT_EQ(four.ranks[2].numa, 1);
}

TEST(Inventory, shares_gpus_and_cores_that_are_too_few) {
    Inventory machine = read_inventory(shipped("a100x4_pcie"));
    machine.nodes[0].numa[0].cores = {5};

    const Inventory inventory = with_ranks(machine, 8);

    EXPECT_EQ(inventory.ranks[1].gpu, 0);
    EXPECT_EQ(inventory.ranks[2].gpu, 1);
    EXPECT_THAT(inventory.ranks[3].cores, ElementsAre(5));
}

TEST(Inventory, knows_what_lies_between_two_ranks) {
    const Inventory inventory = with_ranks(with_nodes(read_inventory(shipped("a100x4_pcie")), 2));

    EXPECT_EQ(link_between(inventory, 0, 1), (Link{.kind = LinkKind::pcie, .gb_per_s = 31.5}));
    EXPECT_EQ(link_between(inventory, 0, 2), (Link{.kind = LinkKind::pcie, .gb_per_s = 25}));
    EXPECT_EQ(link_between(inventory, 2, 5), (Link{.kind = LinkKind::network, .gb_per_s = 25}));
    EXPECT_EQ(link_between(with_ranks(read_inventory(shipped("h100x8_nvlink"))), 0, 7),
              (Link{.kind = LinkKind::nvlink, .gb_per_s = 450}));
    EXPECT_EQ(link_between(with_ranks(read_inventory(shipped("dual_socket_cpu"))), 0, 1),
              (Link{.kind = LinkKind::socket, .gb_per_s = 67.2}));
    EXPECT_EQ(link_between(with_ranks(read_inventory(shipped("dual_socket_cpu")), 4), 2, 3),
              (Link{.kind = LinkKind::memory, .gb_per_s = 204.8}));
}

TEST(Inventory, takes_no_network_for_faster_than_the_way_to_it) {
    Inventory cluster = with_nodes(read_inventory(shipped("l20x4_pcie")), 2);
    cluster.network_gb_per_s = 400;

    EXPECT_EQ(link_between(with_ranks(cluster), 0, 4),
              (Link{.kind = LinkKind::network, .gb_per_s = 22.4}));
}

TEST(Inventory, assumes_typical_speeds_where_none_are_known) {
    Inventory cluster = with_nodes(read_inventory(shipped("dual_socket_cpu")), 2);
    cluster.network_gb_per_s = 0;
    cluster.nodes[0].numa_link = {};
    const Inventory inventory = with_ranks(cluster);

    EXPECT_EQ(link_between(inventory, 0, 1).kind, LinkKind::socket);
    EXPECT_GT(link_between(inventory, 0, 1).gb_per_s, link_between(inventory, 0, 2).gb_per_s);
    EXPECT_GT(link_between(inventory, 0, 2).gb_per_s, 0);
}

}  // namespace
}  // namespace reelyard::topology
