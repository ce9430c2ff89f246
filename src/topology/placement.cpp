#include "reelyard/topology/placement.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <tuple>
#include <utility>

#include "reelyard/base/error.hpp"

#include "swap_search.hpp"

namespace reelyard::topology {
namespace {

/// Whether rank 0 has a place from the first, or is put at one in the end.
enum class Leader { kept, put_in };

/// From the outside in: node, island of GPUs or NUMA domain, GPU. Blocks that are spread over
/// several have only the part that their ranks share.
using Address = std::vector<int>;
constexpr std::size_t address_length = 3;

/// Ranks that are together in each degree treated so far, in the order of their places.
struct Block {
    std::vector<int> ranks;
    Address address;
    std::vector<double> costs;  ///< of its groups, by degree, innermost first
    bool leads = false;         ///< whether it has rank 0, and that must have a place
};

Address address_of(const Inventory& inventory, const Place& place) {
    if (place.gpu < 0) {
        return {place.node, place.numa, -1};
    }
    const Node& node = inventory.nodes[static_cast<std::size_t>(place.node)];
    // Islands and NUMA domains share the second number without meeting in it.
    const int island = node.gpus[static_cast<std::size_t>(place.gpu)].island;
    return {place.node, static_cast<int>(node.numa.size()) + island, place.gpu};
}

Address part_of(const Block& block, std::size_t length) {
    const auto end = std::min(length, block.address.size());
    return {block.address.begin(), block.address.begin() + static_cast<std::ptrdiff_t>(end)};
}

/// Cheap blocks first, and among those rank 0's; blocks that lie together stay together, in the
/// order of their ranks. \param length of the addresses that tell what lies together
void sort_by_worth(std::vector<Block>& blocks, std::size_t length) {
    std::map<Address, std::vector<int>> first;  // ranks of the first block there
    for (const Block& block : blocks) {
        const auto [found, is_new] = first.try_emplace(part_of(block, length), block.ranks);
        if (!is_new) {
            found->second = std::min(found->second, block.ranks);
        }
    }
    std::sort(blocks.begin(), blocks.end(), [&](const Block& a, const Block& b) {
        return std::tuple(a.costs, !a.leads, first.at(part_of(a, length)), a.ranks) <
               std::tuple(b.costs, !b.leads, first.at(part_of(b, length)), b.ranks);
    });
}

/// Seconds for a gigabyte over the slowest link among these ranks.
double cost_of_group(const Inventory& inventory, const std::vector<int>& ranks) {
    double cost = 0;
    for (auto rank = ranks.begin(); rank != ranks.end(); ++rank) {
        for (auto other = std::next(rank); other != ranks.end(); ++other) {
            cost = std::max(cost, 1 / link_between(inventory, *rank, *other).gb_per_s);
        }
    }
    return cost;
}

/// Of the new groups: rank i of every block.
double cost_of_joining(const Inventory& inventory, const std::vector<Block>& blocks) {
    double cost = 0;
    for (std::size_t index = 0; index < blocks.front().ranks.size(); ++index) {
        std::vector<int> group;
        group.reserve(blocks.size());
        for (const Block& block : blocks) {
            group.push_back(block.ranks[index]);
        }
        cost += cost_of_group(inventory, group);
    }
    return cost;
}

Block join(const Inventory& inventory, const std::vector<Block>& blocks, Address address) {
    Block whole{
        .ranks = {},
        .address = std::move(address),
        .costs = std::vector<double>(blocks.front().costs.size(), 0),
    };
    for (const Block& block : blocks) {
        whole.ranks.insert(whole.ranks.end(), block.ranks.begin(), block.ranks.end());
        whole.leads = whole.leads || block.leads;
        for (std::size_t degree = 0; degree < block.costs.size(); ++degree) {
            whole.costs[degree] += block.costs[degree];
        }
    }
    whole.costs.push_back(cost_of_joining(inventory, blocks));
    return whole;
}

/// Joins as many blocks as there are within each part of the machine that has an address of this
/// length. \param blocks those that are used are taken away
std::vector<Block> join_within_parts(const Inventory& inventory,
                                     std::vector<Block>& blocks,
                                     int degree,
                                     std::size_t length) {
    std::map<Address, std::vector<Block>> parts;
    std::vector<Block> left;
    for (Block& block : blocks) {
        if (block.address.size() < length) {
            left.push_back(std::move(block));
        } else {
            const Address part = part_of(block, length);
            parts[part].push_back(std::move(block));
        }
    }
    std::vector<Block> joined;
    for (auto& [part, members] : parts) {
        sort_by_worth(members, length + 1);
        auto next = members.begin();
        while (members.end() - next >= degree) {
            const std::vector<Block> together(next, next + degree);
            joined.push_back(join(inventory, together, part));
            next += degree;
        }
        std::move(next, members.end(), std::back_inserter(left));
    }
    blocks = std::move(left);
    return joined;
}

/// Joins blocks by `degree`, in the smallest parts of the machine first.
/// \param blocks those that are used are taken away
std::vector<Block> join_nearest(const Inventory& inventory,
                                std::vector<Block>& blocks,
                                int degree) {
    std::vector<Block> joined;
    for (std::size_t level = 0; level <= address_length; ++level) {
        auto more = join_within_parts(inventory, blocks, degree, address_length - level);
        std::move(more.begin(), more.end(), std::back_inserter(joined));
    }
    return joined;
}

/// Turns the places of a group round in every degree until `rank` is at the first one: the groups
/// of each degree keep their members.
std::vector<int> turned_to(const std::vector<int>& ranks, int rank, ParallelLayout layout) {
    layout.replicas = 1;
    const auto found = std::find(ranks.begin(), ranks.end(), rank);
    const GridPosition first = position_of(static_cast<int>(found - ranks.begin()), layout);
    std::vector<int> turned;
    for (int place = 0; place < layout.group_size(); ++place) {
        const GridPosition target = position_of(place, layout);
        const GridPosition source{.replica = 0,
                                  .cfg = (target.cfg + first.cfg) % layout.cfg,
                                  .ring = (target.ring + first.ring) % layout.ring,
                                  .ulysses = (target.ulysses + first.ulysses) % layout.ulysses,
                                  .tensor = (target.tensor + first.tensor) % layout.tensor};
        turned.push_back(ranks[static_cast<std::size_t>(place_of(source, layout))]);
    }
    return turned;
}

/// Takes away the blocks that are worse than the `count` best ones in what they cost so far. More
/// may stay; the one with rank 0 does. \returns those taken away
std::vector<Block> drop_worst(std::vector<Block>& blocks, std::size_t count) {
    std::vector<std::vector<double>> costs;
    costs.reserve(blocks.size());
    for (const Block& block : blocks) {
        costs.push_back(block.costs);
    }
    std::sort(costs.begin(), costs.end());
    const auto& enough = costs[count - 1];
    const auto dropped =
        std::stable_partition(blocks.begin(), blocks.end(), [&](const Block& block) {
            return block.costs <= enough || block.leads;
        });
    std::vector<Block> worst(dropped, blocks.end());
    blocks.erase(dropped, blocks.end());
    return worst;
}

/// Puts the block with rank 0 among the first `count`.
void include_leader(std::vector<Block>& blocks, int count) {
    const auto last = blocks.begin() + (count - 1);
    const auto leader =
        std::find_if(blocks.begin(), blocks.end(), [](const Block& block) { return block.leads; });
    if (leader != blocks.end() && leader > last) {
        std::iter_swap(leader, last);
    }
}

/// Ranks at all places, those of the tensor groups next to one another, and then those left over.
/// \param leader whether rank 0 is kept among those at places
std::vector<int> join_all(const Inventory& inventory, const ParallelLayout& layout, Leader leader) {
    std::vector<Block> blocks;
    for (std::size_t rank = 0; rank < inventory.ranks.size(); ++rank) {
        blocks.push_back({.ranks = {static_cast<int>(rank)},
                          .address = address_of(inventory, inventory.ranks[rank]),
                          .costs = {},
                          .leads = leader == Leader::kept && rank == 0});
    }
    std::vector<Block> spare;  // larger blocks first
    int needed = layout.used_ranks();
    for (const int degree : {layout.tensor, layout.ulysses, layout.ring, layout.cfg}) {
        auto joined = join_nearest(inventory, blocks, degree);
        spare.insert(spare.begin(), blocks.begin(), blocks.end());
        needed /= degree;
        const auto worst = drop_worst(joined, static_cast<std::size_t>(needed));
        spare.insert(spare.begin(), worst.begin(), worst.end());
        blocks = std::move(joined);
    }
    sort_by_worth(blocks, address_length);
    include_leader(blocks, layout.replicas);
    blocks.insert(blocks.end(), spare.begin(), spare.end());
    std::vector<int> ranks;
    for (const Block& block : blocks) {
        ranks.insert(ranks.end(), block.ranks.begin(), block.ranks.end());
    }
    return ranks;
}

/// Each video group with its lowest rank first, and the groups in the order of those.
std::vector<int> in_order_of_ranks(const std::vector<int>& ranks, const ParallelLayout& layout) {
    std::vector<std::vector<int>> groups;
    for (auto first = ranks.begin(); first < ranks.begin() + layout.used_ranks();
         first += layout.group_size()) {
        const std::vector<int> group(first, first + layout.group_size());
        groups.push_back(turned_to(group, *std::min_element(group.begin(), group.end()), layout));
    }
    std::sort(groups.begin(), groups.end());
    std::vector<int> placement;
    for (const auto& group : groups) {
        placement.insert(placement.end(), group.begin(), group.end());
    }
    return placement;
}

}  // namespace

std::vector<int> place_ranks(const Inventory& inventory, const ParallelLayout& layout) {
    require(layout.used_ranks() <= static_cast<int>(inventory.ranks.size()),
            ErrorKind::usage,
            "parallel: {} needs {} ranks (started: {})",
            to_string(layout),
            layout.used_ranks(),
            inventory.ranks.size());
    // Each is the better start on some machines.
    const std::vector<std::vector<int>> starts{join_all(inventory, layout, Leader::kept),
                                               join_all(inventory, layout, Leader::put_in)};
    return in_order_of_ranks(best_after_swaps(inventory, layout, starts), layout);
}

}  // namespace reelyard::topology
