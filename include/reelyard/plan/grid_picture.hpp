#pragma once

#include <string>
#include <vector>

#include "reelyard/spec/parallel_layout.hpp"
#include "reelyard/topology/inventory.hpp"

namespace reelyard::plan {

/// The layout on the nodes, in ASCII: a box for each rank with its place in the layout, in the
/// order of GPUs or NUMA domains; degrees of 1 are left out.
/// \param inventory with ranks \param placement the rank at each place of the layout
[[nodiscard]] std::string grid_picture(const ParallelLayout& layout,
                                       const topology::Inventory& inventory,
                                       const std::vector<int>& placement);

}  // namespace reelyard::plan
