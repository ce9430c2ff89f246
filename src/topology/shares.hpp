#pragma once

#include <vector>

#include "reelyard/topology/inventory.hpp"

namespace reelyard::topology {

/// One of the ranks of a node.
struct RankOnNode {
    int index = 0;
    int count = 1;
};

/// Part `index` of `count` even parts of the cores; one core where there are fewer than parts.
[[nodiscard]] std::vector<int> share_of(const std::vector<int>& cores, int index, int count);

/// The domain that has this core; the first one when none has it.
[[nodiscard]] int domain_of_core(const Node& node, int core);

/// For a rank without a GPU: its part of all cores of the node. \param number of the node
[[nodiscard]] Place place_on_cores(const Node& node, int number, RankOnNode rank);

}  // namespace reelyard::topology
