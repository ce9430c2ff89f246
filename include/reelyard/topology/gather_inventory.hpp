#pragma once

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/topology/inventory.hpp"

namespace reelyard::topology {

/// What ranks compute on.
enum class Devices {
    any,    ///< GPUs where there are any
    cores,  ///< no GPU
};

/// Finds out what hardware the ranks of a job are on; the same on all of them. Of each node it
/// lists the GPUs that any of its ranks may use; ranks take those that they may use in turn.
/// Collective.
[[nodiscard]] Inventory gather_inventory(const mpi::Communicator& world,
                                         Devices devices = Devices::any);

/// Keeps the threads that this rank starts from now on near its GPU or its share of the memory: on
/// the cores of its NUMA domain. Leaves all as it is where the launcher has chosen the cores
/// already, where the node has one domain, and where a node has fewer ranks than domains and no
/// GPU. \param inventory from gather_inventory() \returns whether the rank is now bound
bool bind_to_domain(const mpi::Communicator& world, const Inventory& inventory);

}  // namespace reelyard::topology
