#pragma once

#include <vector>

#include "reelyard/spec/parallel_layout.hpp"
#include "reelyard/topology/inventory.hpp"

namespace reelyard::topology {

/// Exchanges ranks, alone and in blocks, as long as that makes a grid better: tensor groups first,
/// then Ulysses groups, rings and the branches of the guidance. Leaves grids of many ranks or large
/// groups as they are, but for rank 0, which is given a place where it has none. \param starts each
/// all ranks: those at the places of the layout, then those that are left over, larger blocks first
/// \returns the best that one of the starts leads to, in the same form
[[nodiscard]] std::vector<int> best_after_swaps(const Inventory& inventory,
                                                const ParallelLayout& layout,
                                                const std::vector<std::vector<int>>& starts);

}  // namespace reelyard::topology
