#pragma once

#include <string>
#include <vector>

#include "reelyard/topology/inventory.hpp"

namespace reelyard::topology {

struct ProbedNode {
    Node node;
    std::vector<std::string> gpu_ids;  ///< "GPU-...", of node.gpus
};

/// This machine as hwloc and NVML see it: the cores and the memory that this job may use, its GPUs
/// and their links.
[[nodiscard]] ProbedNode probe_node();

/// A node from a file that `lstopo FILE.xml` wrote there. GPUs are those that the file lists as PCI
/// devices of NVIDIA; their memory is known where hwloc was built with CUDA or NVML.
/// \throws Error (input)
[[nodiscard]] Node node_from_hwloc_xml(const std::string& path);

/// The hardware threads of each NUMA domain of this machine that this job may use.
[[nodiscard]] std::vector<std::vector<int>> threads_by_domain();

}  // namespace reelyard::topology
