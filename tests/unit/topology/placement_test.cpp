#include "reelyard/topology/placement.hpp"

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"

namespace reelyard::topology {
namespace {

using Ranks = std::vector<int>;

Node node_with_gpus(const std::vector<int>& gpus_by_island) {
    Node node{.name = "node",
              .numa = {{.cores = {0, 1}, .memory_bytes = 1, .memory_gb_per_s = 200}},
              .gpus = {},
              .island_link = {.kind = LinkKind::nvlink, .gb_per_s = 300},
              .gpu_link = {.kind = LinkKind::pcie, .gb_per_s = 25},
              .numa_link = {},
              .memory_bytes = 1};
    for (std::size_t island = 0; island < gpus_by_island.size(); ++island) {
        const Gpu gpu{
            .model = "G", .memory_bytes = 1, .numa = 0, .island = static_cast<int>(island)};
        node.gpus.insert(node.gpus.end(), static_cast<std::size_t>(gpus_by_island[island]), gpu);
    }
    return node;
}

/// A rank on each GPU, node after node. \param nodes GPUs by island of each node
Inventory cluster(const std::vector<std::vector<int>>& nodes) {
    Inventory inventory{.comment = "", .nodes = {}, .network_gb_per_s = 10, .ranks = {}};
    for (const auto& islands : nodes) {
        inventory.nodes.push_back(node_with_gpus(islands));
    }
    return with_ranks(inventory);
}

/// Neighbouring ranks on different nodes, as --map-by node and -m cyclic put them.
Inventory in_cyclic_order(Inventory inventory) {
    std::vector<Place> cyclic;
    std::vector<std::vector<Place>> by_node(inventory.nodes.size());
    for (const Place& place : inventory.ranks) {
        by_node[static_cast<std::size_t>(place.node)].push_back(place);
    }
    for (std::size_t turn = 0; cyclic.size() < inventory.ranks.size(); ++turn) {
        for (const auto& places : by_node) {
            if (turn < places.size()) {
                cyclic.push_back(places[turn]);
            }
        }
    }
    inventory.ranks = cyclic;
    return inventory;
}

Inventory shuffled(Inventory inventory, std::mt19937& random) {
    std::shuffle(inventory.ranks.begin(), inventory.ranks.end(), random);
    return inventory;
}

/// For tensor, Ulysses, ring and cfg: the sum over groups of the time that a gigabyte takes over
/// the slowest link within the group. From the definition of the grid alone.
std::vector<double> costs_of(const Inventory& inventory,
                             const ParallelLayout& layout,
                             const Ranks& placement) {
    const std::vector<int> degrees{layout.tensor, layout.ulysses, layout.ring, layout.cfg};
    std::vector<double> costs;
    int stride = 1;
    for (const int degree : degrees) {
        double cost = 0;
        for (int place = 0; place < layout.used_ranks(); ++place) {
            if (place / stride % degree != 0) {
                continue;  // not the first of its group
            }
            double slowest = 0;
            for (int a = 0; a < degree; ++a) {
                for (int b = 0; b < a; ++b) {
                    const auto link =
                        link_between(inventory,
                                     placement[static_cast<std::size_t>(place + a * stride)],
                                     placement[static_cast<std::size_t>(place + b * stride)]);
                    slowest = std::max(slowest, 1 / link.gb_per_s);
                }
            }
            cost += slowest;
        }
        costs.push_back(cost);
        stride *= degree;
    }
    return costs;
}

bool is_less(const std::vector<double>& a, const std::vector<double>& b) {
    for (std::size_t index = 0; index < a.size(); ++index) {
        if (std::abs(a[index] - b[index]) > 1e-9) {
            return a[index] < b[index];
        }
    }
    return false;
}

/// Whether rank 0 is the first of a group.
bool leads(const Ranks& placement, const ParallelLayout& layout) {
    const auto found = std::find(placement.begin(), placement.end(), 0);
    return found != placement.end() && (found - placement.begin()) % layout.group_size() == 0;
}

/// The least costs of all assignments in which rank 0 leads. Tries all.
std::vector<double> least_costs(const Inventory& inventory, const ParallelLayout& layout) {
    Ranks ranks(inventory.ranks.size());
    std::iota(ranks.begin(), ranks.end(), 0);
    std::vector<double> least;
    do {
        if (!leads({ranks.begin(), ranks.begin() + layout.used_ranks()}, layout)) {
            continue;
        }
        const auto costs = costs_of(inventory, layout, ranks);
        if (least.empty() || is_less(costs, least)) {
            least = costs;
        }
        // The order of the ranks that are left over makes no difference.
        std::reverse(ranks.begin() + layout.used_ranks(), ranks.end());
    } while (std::next_permutation(ranks.begin(), ranks.end()));
    return least;
}

void expect_valid(const Ranks& placement,
                  const Inventory& inventory,
                  const ParallelLayout& layout) {
    ASSERT_EQ(static_cast<int>(placement.size()), layout.used_ranks());
    Ranks sorted = placement;
    std::sort(sorted.begin(), sorted.end());
    EXPECT_EQ(std::adjacent_find(sorted.begin(), sorted.end()), sorted.end()) << "a rank twice";
    EXPECT_GE(sorted.front(), 0);
    EXPECT_LT(sorted.back(), static_cast<int>(inventory.ranks.size()));
    EXPECT_TRUE(leads(placement, layout));
}

std::vector<int> nodes_of(const Inventory& inventory, const Ranks& ranks) {
    std::vector<int> nodes;
    for (const int rank : ranks) {
        nodes.push_back(inventory.ranks[static_cast<std::size_t>(rank)].node);
    }
    std::sort(nodes.begin(), nodes.end());
    nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
    return nodes;
}

/// How many of the runs of `size` places lie on more than one node.
int straddling(const Inventory& inventory, const Ranks& placement, int size) {
    int count = 0;
    for (auto first = placement.begin(); first != placement.end(); first += size) {
        count += nodes_of(inventory, {first, first + size}).size() > 1 ? 1 : 0;
    }
    return count;
}

TEST(Placement, keeps_the_numbers_where_all_ranks_are_alike) {
    const Inventory inventory = cluster({{6}});

    const Ranks placement = place_ranks(inventory, {.cfg = 2, .ulysses = 3});

    EXPECT_THAT(placement, testing::ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(Placement, keeps_groups_of_a_node_on_it_in_block_and_in_cyclic_order) {
    const Inventory block = cluster(std::vector<std::vector<int>>(8, {8}));
    const ParallelLayout layout{.replicas = 4, .cfg = 2, .ulysses = 4, .tensor = 2};

    for (const Inventory& inventory : {block, in_cyclic_order(block)}) {
        const Ranks placement = place_ranks(inventory, layout);

        expect_valid(placement, inventory, layout);
        EXPECT_EQ(straddling(inventory, placement, layout.tensor), 0);
        EXPECT_EQ(straddling(inventory, placement, layout.ulysses * layout.tensor), 0);
    }
}

TEST(Placement, spreads_only_the_outer_degree_over_nodes) {
    const Inventory inventory = in_cyclic_order(cluster(std::vector<std::vector<int>>(8, {8})));
    const ParallelLayout layout{.cfg = 2, .ring = 4, .ulysses = 8};

    const Ranks placement = place_ranks(inventory, layout);

    expect_valid(placement, inventory, layout);
    EXPECT_EQ(straddling(inventory, placement, 8), 0);
    EXPECT_EQ(placement.front(), 0);
}

TEST(Placement, keeps_to_nodes_on_large_clusters_too) {
    const Inventory inventory = in_cyclic_order(cluster(std::vector<std::vector<int>>(40, {5})));
    const ParallelLayout layout{.replicas = 16, .cfg = 2, .ulysses = 5};

    const Ranks placement = place_ranks(inventory, layout);

    expect_valid(placement, inventory, layout);
    EXPECT_EQ(straddling(inventory, placement, layout.ulysses), 0);
}

TEST(Placement, keeps_to_the_islands_of_a_node_first) {
    const Inventory inventory = cluster({{1, 3, 2, 2}});
    const ParallelLayout layout{.replicas = 4, .tensor = 2};

    const Ranks placement = place_ranks(inventory, layout);

    // Islands: 0 | 1 2 3 | 4 5 | 6 7. One pair must straddle.
    expect_valid(placement, inventory, layout);
    EXPECT_THAT(costs_of(inventory, layout, placement),
                testing::ElementsAre(testing::DoubleEq(3.0 / 300 + 1.0 / 25), 0, 0, 0));
}

TEST(Placement, uses_uneven_nodes_as_far_as_they_go) {
    const Inventory inventory = cluster({{3}, {8}, {5}});
    const ParallelLayout layout{.replicas = 3, .ulysses = 4};

    const Ranks placement = place_ranks(inventory, layout);

    // Rank 0 must lead, but lies where there is no room for four.
    expect_valid(placement, inventory, layout);
    EXPECT_EQ(straddling(inventory, placement, 4), 1);
}

TEST(Placement, keeps_to_numa_domains_without_gpus) {
    const NumaDomain domain{.cores = {0, 1, 2}, .memory_bytes = 1, .memory_gb_per_s = 100};
    Inventory inventory{
        .comment = "",
        .nodes = {{.name = "cpu",
                   .numa = {domain, domain},
                   .gpus = {},
                   .island_link = {},
                   .gpu_link = {},
                   .numa_link = {.kind = LinkKind::socket, .gb_per_s = 20},
                   .memory_bytes = 2}},
        .ranks = {},
    };
    for (const int numa : {0, 1, 0, 1, 0, 1}) {
        inventory.ranks.push_back({.node = 0, .numa = numa, .gpu = -1, .cores = {}});
    }

    const Ranks placement = place_ranks(inventory, {.cfg = 2, .tensor = 3});

    EXPECT_THAT(placement, testing::ElementsAre(0, 2, 4, 1, 3, 5));
}

TEST(Placement, refuses_more_places_than_ranks) {
    const Inventory inventory = cluster({{3}});

    try {
        static_cast<void>(place_ranks(inventory, {.ulysses = 4}));
        ADD_FAILURE() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.message(), testing::HasSubstr("needs 4 ranks (started: 3)"));
    }
}

std::string description(const Inventory& inventory, const ParallelLayout& layout) {
    std::string text = to_string(layout) + "; rank -> node.island:";
    for (const Place& place : inventory.ranks) {
        const Node& node = inventory.nodes[static_cast<std::size_t>(place.node)];
        text += fmt::format(
            " {}.{}", place.node, node.gpus[static_cast<std::size_t>(place.gpu)].island);
    }
    return text;
}

TEST(Placement, is_as_good_as_the_best_of_all_assignments) {
    std::mt19937 random(20261121);
    const std::vector<std::vector<std::vector<int>>> machines{
        {{4}, {4}},
        {{2}, {2}, {2}, {2}},
        {{2, 2}, {2, 2}},
        {{5}, {3}},
        {{3}, {3}, {2}},
        {{3, 1}, {1, 3}},
        {{1, 3, 2}, {1}},
        {{4}, {2}, {1}},
        {{2}, {4}},
        {{1}, {2}, {3}},
        {{1, 1, 1}, {2}},
    };
    const std::vector<ParallelLayout> layouts{
        {.tensor = 2},
        {.replicas = 2, .tensor = 2},
        {.replicas = 3, .tensor = 2},
        {.replicas = 2, .ulysses = 3},
        {.ulysses = 2, .tensor = 2},
        {.ulysses = 3, .tensor = 2},
        {.cfg = 2, .ulysses = 3},
        {.ring = 2, .ulysses = 2},
        {.tensor = 4},
        {.ulysses = 5},
        {.replicas = 2, .ulysses = 2, .tensor = 2},
        {.cfg = 2, .ring = 2, .tensor = 2},
        {.cfg = 2, .tensor = 4},
        {.replicas = 2, .tensor = 4},
    };
    for (const auto& machine : machines) {
        for (const ParallelLayout& layout : layouts) {
            const Inventory inventory = shuffled(cluster(machine), random);
            if (layout.used_ranks() > static_cast<int>(inventory.ranks.size())) {
                continue;
            }
            SCOPED_TRACE(description(inventory, layout));

            const Ranks placement = place_ranks(inventory, layout);

            expect_valid(placement, inventory, layout);
            const auto costs = costs_of(inventory, layout, placement);
            const auto least = least_costs(inventory, layout);
            EXPECT_FALSE(is_less(least, costs))
                << testing::PrintToString(costs) << ", least " << testing::PrintToString(least);
        }
    }
}

TEST(Placement, does_not_depend_on_the_order_of_the_ranks) {
    std::mt19937 random(7);
    const Inventory block = cluster({{8}, {8}, {8}, {8}, {8}, {8}, {8}, {8}});
    const ParallelLayout layout{.replicas = 2, .cfg = 2, .ring = 2, .ulysses = 4, .tensor = 2};
    const auto expected = costs_of(block, layout, place_ranks(block, layout));

    for (int trial = 0; trial < 10; ++trial) {
        const Inventory inventory = shuffled(block, random);

        const Ranks placement = place_ranks(inventory, layout);

        expect_valid(placement, inventory, layout);
        EXPECT_THAT(costs_of(inventory, layout, placement),
                    testing::Pointwise(testing::DoubleNear(1e-9), expected));
    }
}

}  // namespace
}  // namespace reelyard::topology
