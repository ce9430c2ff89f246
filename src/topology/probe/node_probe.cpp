#include "reelyard/topology/node_probe.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include <hwloc.h>
#include <unistd.h>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

#include "gpu_probe.hpp"
#include "limits.hpp"

namespace reelyard::topology {
namespace {

using Topology = std::unique_ptr<hwloc_topology, decltype(&hwloc_topology_destroy)>;

constexpr unsigned nvidia = 0x10de;
constexpr unsigned display_class = 0x03;

/// \param prepare what is set before hwloc looks \param place for messages
template <typename Prepare>
Topology load(ErrorKind kind, const std::string& place, const Prepare& prepare) {
    hwloc_topology_t made = nullptr;
    require(hwloc_topology_init(&made) == 0, ErrorKind::resources, "{}: hwloc fails", place);
    Topology topology(made, hwloc_topology_destroy);
    const bool loaded = prepare(made) == 0 && hwloc_topology_load(made) == 0;
    require(loaded, kind, "{}: hwloc finds no machine (expected its description)", place);
    return topology;
}

Topology load_machine() {
    return load(ErrorKind::resources, "this node", [](hwloc_topology_t) { return 0; });
}

std::vector<int> threads_in(hwloc_const_bitmap_t set) {
    std::vector<int> threads;
    for (int each = hwloc_bitmap_first(set); each >= 0; each = hwloc_bitmap_next(set, each)) {
        threads.push_back(each);
    }
    return threads;
}

std::vector<int> cores_in(hwloc_topology_t topology, hwloc_const_bitmap_t set) {
    std::vector<int> cores;
    hwloc_obj_t core = nullptr;
    while ((core = hwloc_get_next_obj_inside_cpuset_by_type(topology, set, HWLOC_OBJ_CORE, core)) !=
           nullptr) {
        cores.push_back(hwloc_bitmap_first(core->cpuset));
    }
    if (cores.empty()) {
        return threads_in(set);
    }
    std::sort(cores.begin(), cores.end());
    return cores;
}

/// The NUMA nodes with cores of their own: memory without cores belongs to a domain that lies near.
std::vector<hwloc_obj_t> domains_of(hwloc_topology_t topology) {
    std::vector<hwloc_obj_t> domains;
    hwloc_obj_t domain = nullptr;
    while ((domain = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, domain)) != nullptr) {
        const bool is_new = std::none_of(domains.begin(), domains.end(), [&](hwloc_obj_t known) {
            return hwloc_bitmap_intersects(known->cpuset, domain->cpuset) != 0;
        });
        if (is_new && hwloc_bitmap_iszero(domain->cpuset) == 0) {
            domains.push_back(domain);
        }
    }
    return domains;
}

std::int64_t memory_of(hwloc_obj_t object) {
    return static_cast<std::int64_t>(object->total_memory);
}

std::int64_t memory_near(hwloc_topology_t topology, hwloc_obj_t domain) {
    std::int64_t bytes = 0;
    hwloc_obj_t other = nullptr;
    while ((other = hwloc_get_next_obj_by_type(topology, HWLOC_OBJ_NUMANODE, other)) != nullptr) {
        if (hwloc_bitmap_intersects(other->cpuset, domain->cpuset) != 0) {
            bytes += static_cast<std::int64_t>(other->attr->numanode.local_memory);
        }
    }
    return bytes;
}

Node describe(hwloc_topology_t topology) {
    hwloc_obj_t root = hwloc_get_root_obj(topology);
    Node node;
    node.memory_bytes = memory_of(root);
    for (hwloc_obj_t domain : domains_of(topology)) {
        node.numa.push_back({.cores = cores_in(topology, domain->cpuset),
                             .memory_bytes = memory_near(topology, domain),
                             .memory_gb_per_s = 0});
    }
    if (node.numa.empty()) {
        node.numa.push_back({.cores = cores_in(topology, root->cpuset),
                             .memory_bytes = node.memory_bytes,
                             .memory_gb_per_s = 0});
    }
    const char* name = hwloc_obj_get_info_by_name(root, "HostName");
    node.name = name == nullptr ? "node" : name;
    return node;
}

int domain_near(hwloc_topology_t topology, hwloc_obj_t device) {
    hwloc_obj_t place = hwloc_get_non_io_ancestor_obj(topology, device);
    const auto domains = domains_of(topology);
    for (std::size_t index = 0; index < domains.size(); ++index) {
        if (hwloc_bitmap_intersects(domains[index]->cpuset, place->cpuset) != 0) {
            return static_cast<int>(index);
        }
    }
    return 0;
}

std::string model_of(hwloc_obj_t device) {
    const char* name = hwloc_obj_get_info_by_name(device, "PCIDevice");
    return name == nullptr ? "NVIDIA GPU" : fmt::format("NVIDIA {}", name);
}

/// As CUDA or NVML told hwloc; 0 where they did not.
std::int64_t gpu_memory(hwloc_obj_t device) {
    for (hwloc_obj_t part = device->io_first_child; part != nullptr; part = part->next_sibling) {
        for (const char* key : {"CUDAGlobalMemorySize", "NVIDIAFrameBufferSize"}) {
            const char* kibibytes = hwloc_obj_get_info_by_name(part, key);
            if (kibibytes != nullptr) {
                return std::strtoll(kibibytes, nullptr, 10) * kibibyte;
            }
        }
    }
    return 0;
}

/// GPUs that are listed as PCI devices: those of a NUMA domain form an island.
void add_pci_gpus(hwloc_topology_t topology, Node& node) {
    hwloc_obj_t device = nullptr;
    while ((device = hwloc_get_next_pcidev(topology, device)) != nullptr) {
        const auto& pci = device->attr->pcidev;
        if (pci.vendor_id != nvidia || pci.class_id >> 8 != display_class) {
            continue;
        }
        const int numa = domain_near(topology, device);
        node.gpus.push_back({.model = model_of(device),
                             .memory_bytes = gpu_memory(device),
                             .numa = numa,
                             .island = numa});
        node.island_link = {.kind = LinkKind::pcie, .gb_per_s = pci.linkspeed};
    }
    node.gpu_link = node.island_link;
}

std::string host_name() {
    std::array<char, 256> name{};
    gethostname(name.data(), name.size() - 1);
    return name.data();
}

}  // namespace

ProbedNode probe_node() {
    const Topology topology = load_machine();
    ProbedNode found{.node = describe(topology.get()), .gpu_ids = {}};
    found.node.name = host_name();
    found.node.memory_bytes = within_limits(found.node.memory_bytes);
    const auto gpus = find_gpus();
    add_gpus(found.node, gpus);
    for (const FoundGpu& gpu : gpus) {
        found.gpu_ids.push_back(gpu.id);
    }
    return found;
}

Node node_from_hwloc_xml(const std::string& path) {
    require(std::filesystem::is_regular_file(path),
            ErrorKind::input,
            "{}: no such file (expected XML of hwloc)",
            path);
    const Topology topology = load(ErrorKind::input, path, [&](hwloc_topology_t made) {
        hwloc_topology_set_io_types_filter(made, HWLOC_TYPE_FILTER_KEEP_IMPORTANT);
        return hwloc_topology_set_xml(made, path.c_str());
    });
    Node node = describe(topology.get());
    add_pci_gpus(topology.get(), node);
    return node;
}

std::vector<std::vector<int>> threads_by_domain() {
    const Topology topology = load_machine();
    std::vector<std::vector<int>> threads;
    for (hwloc_obj_t domain : domains_of(topology.get())) {
        threads.push_back(threads_in(domain->cpuset));
    }
    return threads;
}

}  // namespace reelyard::topology
