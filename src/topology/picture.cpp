#include "reelyard/topology/picture.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/format.hpp"

#include "core_list.hpp"

namespace reelyard::topology {
namespace {

/// "1 node", "2 nodes".
std::string counted(std::size_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string speed_text(double gb_per_s) {
    return gb_per_s > 0 ? fmt::format("{:g} GB/s", gb_per_s) : "speed unknown";
}

std::string link_text(const Link& link) {
    return fmt::format("{}, {}", to_string(link.kind), speed_text(link.gb_per_s));
}

std::string memory_text(std::int64_t bytes) {
    if (bytes > 0 && bytes % gibibyte == 0) {
        return fmt::format("{} GiB", bytes / gibibyte);
    }
    return bytes > 0 ? format_bytes(bytes) : "memory unknown";
}

/// The ranks for which `is_there` holds, as " <- rank 3"; empty without any.
template <typename Condition>
std::string ranks_text(const Inventory& inventory, const Condition& is_there) {
    std::vector<int> ranks;
    for (std::size_t rank = 0; rank < inventory.ranks.size(); ++rank) {
        if (is_there(inventory.ranks[rank])) {
            ranks.push_back(static_cast<int>(rank));
        }
    }
    if (ranks.empty()) {
        return "";
    }
    return fmt::format("  <- rank{} {}", ranks.size() == 1 ? "" : "s", core_list_text(ranks));
}

std::string domain_text(const Inventory& inventory, int number, int numa) {
    const Node& node = inventory.nodes[static_cast<std::size_t>(number)];
    const NumaDomain& domain = node.numa[static_cast<std::size_t>(numa)];
    std::string text = fmt::format(
        "  NUMA {}  {} ({}), {}{}{}\n",
        numa,
        counted(domain.cores.size(), "core"),
        core_list_text(domain.cores),
        memory_text(domain.memory_bytes),
        domain.memory_gb_per_s > 0 ? fmt::format(" at {:g} GB/s", domain.memory_gb_per_s) : "",
        ranks_text(inventory, [&](const Place& place) {
            return place.node == number && place.numa == numa && place.gpu < 0;
        }));
    for (std::size_t index = 0; index < node.gpus.size(); ++index) {
        const Gpu& gpu = node.gpus[index];
        if (gpu.numa == numa) {
            text +=
                fmt::format("    GPU {}  {}, {}, island {}{}\n",
                            index,
                            gpu.model,
                            memory_text(gpu.memory_bytes),
                            gpu.island,
                            ranks_text(inventory, [&](const Place& place) {
                                return place.node == number && place.gpu == static_cast<int>(index);
                            }));
        }
    }
    return text;
}

std::string links_text(const Node& node) {
    std::string text;
    if (node.numa.size() > 1) {
        text += fmt::format("  between NUMA domains: {}\n", speed_text(node.numa_link.gb_per_s));
    }
    const auto is_other_island = [&](const Gpu& gpu) {
        return gpu.island != node.gpus.front().island;
    };
    const bool has_islands = std::any_of(node.gpus.begin(), node.gpus.end(), is_other_island);
    if (node.gpus.size() > 1) {
        text += fmt::format("  between GPUs{}: {}\n",
                            has_islands ? " of an island" : "",
                            link_text(node.island_link));
    }
    if (has_islands) {
        text += fmt::format("  between islands: {}\n", link_text(node.gpu_link));
    }
    return text;
}

bool is_alike(Node a, const Node& b) {
    a.name = b.name;
    return a == b;
}

/// How many nodes from this one on can be shown as one.
std::size_t alike_from(const Inventory& inventory, std::size_t first) {
    std::size_t end = first + 1;
    while (inventory.ranks.empty() && end < inventory.nodes.size() &&
           is_alike(inventory.nodes[end], inventory.nodes[first])) {
        ++end;
    }
    return end - first;
}

std::string node_text(const Inventory& inventory, std::size_t number, std::size_t alike) {
    const Node& node = inventory.nodes[number];
    const std::string others =
        alike == 1 ? "" : fmt::format(" to {}", inventory.nodes[number + alike - 1].name);
    std::string text =
        fmt::format("\n{}{}  {}\n", node.name, others, memory_text(node.memory_bytes));
    for (std::size_t numa = 0; numa < node.numa.size(); ++numa) {
        text += domain_text(inventory, static_cast<int>(number), static_cast<int>(numa));
    }
    return text + links_text(node);
}

std::string heading(const Inventory& inventory) {
    std::size_t cores = 0;
    std::size_t gpus = 0;
    for (const Node& node : inventory.nodes) {
        cores += static_cast<std::size_t>(node.cores());
        gpus += node.gpus.size();
    }
    std::string text = counted(inventory.nodes.size(), "node");
    text += ", " + counted(cores, "core");
    text += gpus > 0 ? ", " + counted(gpus, "GPU") : "";
    text += inventory.ranks.empty() ? "" : ", " + counted(inventory.ranks.size(), "rank");
    if (inventory.nodes.size() > 1 || inventory.network_gb_per_s > 0) {
        text += fmt::format("; network into a node: {}", speed_text(inventory.network_gb_per_s));
    }
    return text + '\n';
}

}  // namespace

std::string picture_of(const Inventory& inventory) {
    std::string text = heading(inventory);
    for (std::size_t number = 0; number < inventory.nodes.size();) {
        const std::size_t alike = alike_from(inventory, number);
        text += node_text(inventory, number, alike);
        number += alike;
    }
    return text;
}

}  // namespace reelyard::topology
