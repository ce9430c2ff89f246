#pragma once

#include <vector>

#include "reelyard/spec/parallel_layout.hpp"
#include "reelyard/topology/inventory.hpp"

namespace reelyard::topology {

/// Exchanges ranks, alone and in blocks, as long as that makes a grid better: tensor groups first,
/// then Ulysses groups, rings and the branches of the guidance. Leaves grids of very many ranks as
/// they are.
/// \param ranks at all places of the layout, then those that are left over, larger blocks first;
/// rank 0 is not left over
/// \returns the same for the better grid
[[nodiscard]] std::vector<int> improved_by_swaps(const Inventory& inventory,
                                                 const ParallelLayout& layout,
                                                 std::vector<int> ranks);

}  // namespace reelyard::topology
