#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reelyard/topology/inventory.hpp"

namespace reelyard::topology {

/// A GPU as NVIDIA's management library (NVML) sees it. Speeds are nominal, in 1e9 bytes a second
/// in each direction.
struct FoundGpu {
    std::string id;  ///< "GPU-..."
    std::string model;
    std::int64_t memory_bytes = 0;
    std::vector<bool> near_threads;  ///< by the number of a hardware thread: whether it is near
    double pcie_gb_per_s = 0;        ///< 0: not known
    double nvlink_gb_per_s = 0;      ///< of all its links together; 0: it has none
    bool has_switch = false;         ///< whether its links go to a switch, all to any one GPU
    std::vector<bool> reaches;       ///< by GPU: whether NVLink leads there
};

/// The GPUs of this machine, none where there is no driver.
/// \param library NVML, loaded while the program runs
[[nodiscard]] std::vector<FoundGpu> find_gpus(const std::string& library = "libnvidia-ml.so.1");

/// Puts GPUs and their links on a node whose cores are known. Islands are the GPUs that NVLink
/// joins; without NVLink those near one NUMA domain.
void add_gpus(Node& node, const std::vector<FoundGpu>& gpus);

}  // namespace reelyard::topology
