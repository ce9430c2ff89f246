#include "reelyard/topology/placement.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <tuple>
#include <utility>

#include "reelyard/base/error.hpp"

namespace reelyard::topology {
namespace {

/// From the outside in: node, island of GPUs or NUMA domain, GPU. Blocks that are spread over
/// several have only the part that their ranks share.
using Address = std::vector<int>;
constexpr std::size_t address_length = 3;

/// Ranks that are together in each degree treated so far, in the order of their places.
struct Block {
    std::vector<int> ranks;
    Address address;
    std::vector<double> costs;  ///< of its groups, by degree, innermost first
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

bool is_better(const Block& a, const Block& b) {
    return std::tie(a.costs, a.address, a.ranks) < std::tie(b.costs, b.address, b.ranks);
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
            const Address part(block.address.begin(),
                               block.address.begin() + static_cast<std::ptrdiff_t>(length));
            parts[part].push_back(std::move(block));
        }
    }
    std::vector<Block> joined;
    for (auto& [part, members] : parts) {
        std::sort(members.begin(), members.end(), is_better);
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
std::vector<Block> join_nearest(const Inventory& inventory, std::vector<Block> blocks, int degree) {
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

bool has_rank(const Block& block, int rank) {
    return std::find(block.ranks.begin(), block.ranks.end(), rank) != block.ranks.end();
}

/// Of a whole video group, by degree, innermost first.
std::vector<double> costs_of(const Inventory& inventory,
                             const std::vector<int>& ranks,
                             const ParallelLayout& layout) {
    std::vector<Block> blocks;
    for (const int rank : ranks) {
        blocks.push_back({.ranks = {rank}, .address = {}, .costs = {}});
    }
    for (const int degree : {layout.tensor, layout.ulysses, layout.ring, layout.cfg}) {
        std::vector<Block> joined;
        for (auto next = blocks.begin(); next != blocks.end(); next += degree) {
            joined.push_back(join(inventory, {next, next + degree}, {}));
        }
        blocks = std::move(joined);
    }
    return blocks.front().costs;
}

/// Puts rank 0 where it costs least when it is in no block.
void include_leader(const Inventory& inventory,
                    const ParallelLayout& layout,
                    std::vector<Block>& blocks) {
    std::optional<std::vector<double>> least;
    int* best = nullptr;
    for (Block& block : blocks) {
        if (has_rank(block, 0)) {
            return;
        }
        for (int& rank : block.ranks) {
            const int replaced = std::exchange(rank, 0);
            std::vector<double> added = costs_of(inventory, block.ranks, layout);
            std::transform(
                added.begin(), added.end(), block.costs.begin(), added.begin(), std::minus<>());
            rank = replaced;
            if (!least || added < *least) {
                least = std::move(added);
                best = &rank;
            }
        }
    }
    *best = 0;
}

/// The best `count` blocks; the one with rank 0 among them if there is such a block.
std::vector<Block> choose(std::vector<Block> blocks, int count) {
    std::sort(blocks.begin(), blocks.end(), is_better);
    const auto last = blocks.begin() + (count - 1);
    const auto leader = std::find_if(
        blocks.begin(), blocks.end(), [](const Block& block) { return has_rank(block, 0); });
    if (leader != blocks.end() && leader > last) {
        std::iter_swap(leader, last);
    }
    blocks.resize(static_cast<std::size_t>(count));
    return blocks;
}

}  // namespace

std::vector<int> place_ranks(const Inventory& inventory, const ParallelLayout& layout) {
    require(layout.used_ranks() <= static_cast<int>(inventory.ranks.size()),
            ErrorKind::usage,
            "parallel: {} needs {} ranks (started: {})",
            to_string(layout),
            layout.used_ranks(),
            inventory.ranks.size());
    std::vector<Block> blocks;
    for (std::size_t rank = 0; rank < inventory.ranks.size(); ++rank) {
        blocks.push_back({.ranks = {static_cast<int>(rank)},
                          .address = address_of(inventory, inventory.ranks[rank]),
                          .costs = {}});
    }
    for (const int degree : {layout.tensor, layout.ulysses, layout.ring, layout.cfg}) {
        blocks = join_nearest(inventory, std::move(blocks), degree);
    }
    blocks = choose(std::move(blocks), layout.replicas);
    include_leader(inventory, layout, blocks);

    for (Block& block : blocks) {
        const int lowest = *std::min_element(block.ranks.begin(), block.ranks.end());
        block.ranks = turned_to(block.ranks, lowest, layout);
    }
    std::sort(blocks.begin(), blocks.end(), [](const Block& a, const Block& b) {
        return a.ranks.front() < b.ranks.front();
    });
    std::vector<int> placement;
    for (const Block& block : blocks) {
        placement.insert(placement.end(), block.ranks.begin(), block.ranks.end());
    }
    return placement;
}

}  // namespace reelyard::topology
