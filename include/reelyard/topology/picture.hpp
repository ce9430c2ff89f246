#pragma once

#include <string>

#include "reelyard/topology/inventory.hpp"

namespace reelyard::topology {

/// The inventory for people: nodes, NUMA domains, GPUs, links, and the ranks on them. Nodes that
/// are alike and carry no ranks are shown once.
[[nodiscard]] std::string picture_of(const Inventory& inventory);

}  // namespace reelyard::topology
