#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reelyard::topology {

enum class LinkKind {
    none,     ///< there is none, or nothing is known of it
    memory,   ///< through memory that both sides reach: ranks of one NUMA domain
    socket,   ///< between the NUMA domains of a node
    pcie,     ///< GPU to GPU over PCI Express
    nvlink,   ///< GPU to GPU over NVLink
    network,  ///< between nodes
};

/// "nvlink" and so on.
[[nodiscard]] std::string to_string(LinkKind kind);

struct Link {
    LinkKind kind = LinkKind::none;
    double gb_per_s = 0;  ///< 1e9 bytes a second in each direction; 0: not known

    friend bool operator==(const Link&, const Link&) = default;
};

/// Cores that share a memory controller.
struct NumaDomain {
    std::vector<int>
        cores;  ///< each by the system's number of its first hardware thread, ascending
    std::int64_t memory_bytes = 0;
    double memory_gb_per_s = 0;  ///< 0: not known

    friend bool operator==(const NumaDomain&, const NumaDomain&) = default;
};

struct Gpu {
    std::string model;
    std::int64_t memory_bytes = 0;
    int numa = 0;    ///< the domain it is attached to
    int island = 0;  ///< GPUs of one island have the node's best link among themselves

    friend bool operator==(const Gpu&, const Gpu&) = default;
};

struct Node {
    std::string name;
    std::vector<NumaDomain> numa;   ///< at least one
    std::vector<Gpu> gpus;          ///< may be empty
    Link island_link;               ///< between GPUs of one island
    Link gpu_link;                  ///< between GPUs of different islands
    Link numa_link;                 ///< between NUMA domains
    std::int64_t memory_bytes = 0;  ///< what a job may use there, limits of batch systems included

    [[nodiscard]] int cores() const;

    friend bool operator==(const Node&, const Node&) = default;
};

/// Where a rank is.
struct Place {
    int node = 0;
    int numa = 0;
    int gpu = -1;            ///< of the node; -1: it computes on cores
    std::vector<int> cores;  ///< those that it may use

    friend bool operator==(const Place&, const Place&) = default;
};

/// What hardware there is, and the ranks on it.
struct Inventory {
    std::string comment;  ///< for people: where figures come from
    std::vector<Node> nodes;
    double network_gb_per_s = 0;  ///< into a node, and out of it at the same time; 0: not known
    std::vector<Place> ranks;     ///< by rank; empty: a cluster that nothing runs on

    friend bool operator==(const Inventory&, const Inventory&) = default;
};

/// \param name of the file, for messages \throws Error (input) naming file and key
[[nodiscard]] Inventory inventory_from_json(const std::string& text, const std::string& name);

/// What inventory_from_json() reads back as the same.
[[nodiscard]] std::string to_json(const Inventory& inventory);

/// \param path of a JSON file, or of an hwloc XML file (.xml), which describes one node
[[nodiscard]] Inventory read_inventory(const std::string& path);

/// A cluster of `count` nodes like the first one, without ranks.
[[nodiscard]] Inventory with_nodes(const Inventory& inventory, int count);

/// Puts ranks on every node, node after node: one on each GPU, shared evenly where there are more
/// ranks than GPUs; without GPUs even shares of the cores, NUMA domain after NUMA domain.
/// \param ranks_per_node 0: one for each GPU, or for each NUMA domain where there is no GPU
[[nodiscard]] Inventory with_ranks(const Inventory& inventory, int ranks_per_node = 0);

/// What data passes between two ranks of the inventory, with the speed for one pair that has it to
/// itself; between nodes never faster than the slowest link within them.
/// Where the inventory does not know a speed, a typical one of the kind stands in.
[[nodiscard]] Link link_between(const Inventory& inventory, int rank, int other);

}  // namespace reelyard::topology
