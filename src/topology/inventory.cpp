#include "reelyard/topology/inventory.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "reelyard/base/error.hpp"

#include "shares.hpp"

namespace reelyard::topology {
namespace {

// Stand in where a speed is not known: a copy through the memory of one socket, one UPI link of
// 10.4 GT/s, PCI Express 4.0 x16, NVLink 3 with 12 links (A100), and 100 Gb/s.
constexpr double typical_memory = 40;
constexpr double typical_socket = 20.8;
constexpr double typical_pcie = 31.5;
constexpr double typical_nvlink = 300;
constexpr double typical_network = 12.5;

// What one device passes to the network at most: PCI Express 5.0 x16.
constexpr double port_to_network = 63;

double typical_gb_per_s(LinkKind kind) {
    switch (kind) {
        case LinkKind::memory:
            return typical_memory;
        case LinkKind::socket:
            return typical_socket;
        case LinkKind::pcie:
            return typical_pcie;
        case LinkKind::nvlink:
            return typical_nvlink;
        case LinkKind::none:
        case LinkKind::network:
            return typical_network;
    }
    fail(ErrorKind::internal, "a kind of link without a name: {}", static_cast<int>(kind));
}

/// With a kind and a speed in any case.
Link completed(Link link, LinkKind usual) {
    if (link.kind == LinkKind::none) {
        link.kind = usual;
    }
    if (link.gb_per_s <= 0) {
        link.gb_per_s = typical_gb_per_s(link.kind);
    }
    return link;
}

const Node& node_of(const Inventory& inventory, const Place& place) {
    return inventory.nodes[static_cast<std::size_t>(place.node)];
}

const Gpu& gpu_of(const Node& node, const Place& place) {
    return node.gpus[static_cast<std::size_t>(place.gpu)];
}

Link link_of_cores(const Node& node, const Place& a, const Place& b) {
    if (a.numa != b.numa) {
        return completed(node.numa_link, LinkKind::socket);
    }
    const double speed = node.numa[static_cast<std::size_t>(a.numa)].memory_gb_per_s;
    return completed({.kind = LinkKind::memory, .gb_per_s = speed}, LinkKind::memory);
}

Link link_in_node(const Node& node, const Place& a, const Place& b) {
    if (a.gpu < 0 && b.gpu < 0) {
        return link_of_cores(node, a, b);
    }
    if (a.gpu < 0 || b.gpu < 0) {
        return completed({}, LinkKind::pcie);
    }
    const Link island = completed(node.island_link, LinkKind::pcie);
    if (a.gpu == b.gpu) {
        return {.kind = LinkKind::memory, .gb_per_s = std::max(typical_memory, island.gb_per_s)};
    }
    const bool together = gpu_of(node, a).island == gpu_of(node, b).island;
    return together ? island : completed(node.gpu_link, LinkKind::pcie);
}

/// The slowest that data passes on its way through the node, to or from a rank.
double slowest_in_node(const Node& node, const Place& place) {
    double slowest = port_to_network;
    const std::size_t count = place.gpu >= 0 ? node.gpus.size() : node.numa.size();
    for (std::size_t index = 0; index < count; ++index) {
        Place other = place;
        (place.gpu >= 0 ? other.gpu : other.numa) = static_cast<int>(index);
        slowest = std::min(slowest, link_in_node(node, place, other).gb_per_s);
    }
    return slowest;
}

Link link_between_nodes(const Inventory& inventory, const Place& a, const Place& b) {
    Link link = completed({.kind = LinkKind::network, .gb_per_s = inventory.network_gb_per_s},
                          LinkKind::network);
    for (const Place* place : {&a, &b}) {
        link.gb_per_s =
            std::min(link.gb_per_s, slowest_in_node(node_of(inventory, *place), *place));
    }
    return link;
}

/// Gives each rank its part of the cores of its NUMA domain.
void share_cores_of_domains(const Node& node, std::vector<Place>& places) {
    std::map<int, std::vector<Place*>> by_domain;
    for (Place& place : places) {
        by_domain[place.numa].push_back(&place);
    }
    for (const auto& [numa, ranks] : by_domain) {
        const auto& cores = node.numa[static_cast<std::size_t>(numa)].cores;
        for (std::size_t index = 0; index < ranks.size(); ++index) {
            ranks[index]->cores =
                share_of(cores, static_cast<int>(index), static_cast<int>(ranks.size()));
        }
    }
}

std::vector<Place> places_on_gpus(const Node& node, int number, int ranks) {
    const int gpus = static_cast<int>(node.gpus.size());
    std::vector<Place> places;
    for (int index = 0; index < ranks; ++index) {
        const int gpu = ranks <= gpus ? index : index * gpus / ranks;
        places.push_back({.node = number,
                          .numa = node.gpus[static_cast<std::size_t>(gpu)].numa,
                          .gpu = gpu,
                          .cores = {}});
    }
    share_cores_of_domains(node, places);
    return places;
}

std::vector<Place> places_on_cores(const Node& node, int number, int ranks) {
    std::vector<Place> places;
    places.reserve(static_cast<std::size_t>(ranks));
    for (int index = 0; index < ranks; ++index) {
        places.push_back(place_on_cores(node, number, {.index = index, .count = ranks}));
    }
    return places;
}

}  // namespace

std::vector<int> share_of(const std::vector<int>& cores, int index, int count) {
    const auto at = [&](int part) {
        return cores.begin() + static_cast<std::ptrdiff_t>(cores.size()) * part /
                                   static_cast<std::ptrdiff_t>(count);
    };
    std::vector<int> share(at(index), at(index + 1));
    if (share.empty() && !cores.empty()) {
        share.push_back(*at(index));
    }
    return share;
}

int domain_of_core(const Node& node, int core) {
    for (std::size_t numa = 0; numa < node.numa.size(); ++numa) {
        const auto& cores = node.numa[numa].cores;
        if (std::find(cores.begin(), cores.end(), core) != cores.end()) {
            return static_cast<int>(numa);
        }
    }
    return 0;
}

Place place_on_cores(const Node& node, int number, RankOnNode rank) {
    std::vector<int> all;
    for (const NumaDomain& domain : node.numa) {
        all.insert(all.end(), domain.cores.begin(), domain.cores.end());
    }
    std::vector<int> share = share_of(all, rank.index, rank.count);
    const int numa = share.empty() ? 0 : domain_of_core(node, share.front());
    return {.node = number, .numa = numa, .gpu = -1, .cores = std::move(share)};
}

std::string to_string(LinkKind kind) {
    switch (kind) {
        case LinkKind::none:
            return "none";
        case LinkKind::memory:
            return "memory";
        case LinkKind::socket:
            return "socket";
        case LinkKind::pcie:
            return "pcie";
        case LinkKind::nvlink:
            return "nvlink";
        case LinkKind::network:
            return "network";
    }
    fail(ErrorKind::internal, "a kind of link without a name: {}", static_cast<int>(kind));
}

int Node::cores() const {
    std::size_t count = 0;
    for (const NumaDomain& domain : numa) {
        count += domain.cores.size();
    }
    return static_cast<int>(count);
}

Inventory with_nodes(const Inventory& inventory, int count) {
    REELYARD_EXPECT(count > 0 && !inventory.nodes.empty());
    Inventory cluster = inventory;
    cluster.ranks.clear();
    cluster.nodes.assign(static_cast<std::size_t>(count), inventory.nodes.front());
    if (count > 1) {
        for (int number = 0; number < count; ++number) {
            auto& name = cluster.nodes[static_cast<std::size_t>(number)].name;
            name = fmt::format("{}-{}", name, number + 1);
        }
    }
    return cluster;
}

Inventory with_ranks(const Inventory& inventory, int ranks_per_node) {
    Inventory filled = inventory;
    filled.ranks.clear();
    for (std::size_t number = 0; number < filled.nodes.size(); ++number) {
        const Node& node = filled.nodes[number];
        const std::size_t usual = node.gpus.empty() ? node.numa.size() : node.gpus.size();
        const int ranks = ranks_per_node > 0 ? ranks_per_node : static_cast<int>(usual);
        const auto places = node.gpus.empty()
                                ? places_on_cores(node, static_cast<int>(number), ranks)
                                : places_on_gpus(node, static_cast<int>(number), ranks);
        filled.ranks.insert(filled.ranks.end(), places.begin(), places.end());
    }
    return filled;
}

Link link_between(const Inventory& inventory, int rank, int other) {
    const Place& a = inventory.ranks[static_cast<std::size_t>(rank)];
    const Place& b = inventory.ranks[static_cast<std::size_t>(other)];
    if (a.node == b.node) {
        return link_in_node(node_of(inventory, a), a, b);
    }
    return link_between_nodes(inventory, a, b);
}

}  // namespace reelyard::topology
