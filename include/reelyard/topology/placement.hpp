#pragma once

#include <vector>

#include "reelyard/spec/parallel_layout.hpp"
#include "reelyard/topology/inventory.hpp"

namespace reelyard::topology {

/// Lays a grid on the hardware: which rank takes each place of the layout, in whatever order the
/// ranks were started.
///
/// Tensor groups are made first, each of ranks as near to one another as there are, then Ulysses
/// groups of those, then rings, then the branches of the guidance; where ranks are to spare, those
/// that would make the worst groups are left out. Rank 0 is the first rank of the first video
/// group. Ranks at the same distance keep their order, so that on a machine without differences
/// places and ranks have the same numbers. On machines of irregular nodes an outer degree can come
/// out a little worse than the best of all assignments.
///
/// \param inventory with ranks \returns layout.used_ranks() different ranks
/// \throws Error (usage) when the inventory has fewer ranks than the layout
[[nodiscard]] std::vector<int> place_ranks(const Inventory& inventory,
                                           const ParallelLayout& layout);

}  // namespace reelyard::topology
