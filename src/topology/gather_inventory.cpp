#include "reelyard/topology/gather_inventory.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include <sched.h>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/mpi/node_layout.hpp"
#include "reelyard/topology/node_probe.hpp"

#include "probe/limits.hpp"
#include "probe/network_probe.hpp"
#include "shares.hpp"

namespace reelyard::topology {
namespace {

/// The hardware threads that this rank may run on.
std::vector<int> allowed_threads() {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    std::vector<int> threads;
    for (int thread = 0; thread < CPU_SETSIZE; ++thread) {
        if (CPU_ISSET(thread, &set)) {
            threads.push_back(thread);
        }
    }
    return threads;
}

std::vector<int> common(const std::vector<int>& a, const std::vector<int>& b) {
    std::vector<int> both;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    return both;
}

std::vector<int> cores_of(const Node& node) {
    std::vector<int> cores;
    for (const NumaDomain& domain : node.numa) {
        cores.insert(cores.end(), domain.cores.begin(), domain.cores.end());
    }
    std::sort(cores.begin(), cores.end());
    return cores;
}

/// What one rank of each node found, on all ranks of the node.
struct Found {
    Inventory one_node;
    std::vector<std::string> gpu_ids;
};

Found probe_once_per_node(const mpi::Communicator& world, const mpi::Communicator& node) {
    std::string description;
    std::string ids;
    mpi::together(world, [&] {
        if (node.rank() == 0) {
            ProbedNode probed = probe_node();
            ids = fmt::format("{}", fmt::join(probed.gpu_ids, "\n"));
            description = to_json({.comment = "",
                                   .nodes = {std::move(probed.node)},
                                   .network_gb_per_s = network_speed("/sys"),
                                   .ranks = {}});
        }
    });
    description = node.broadcast_text(std::move(description), 0);
    ids = node.broadcast_text(std::move(ids), 0);
    Found found{.one_node = inventory_from_json(description, "this node"), .gpu_ids = {}};
    const std::size_t gpus = found.one_node.nodes.front().gpus.size();
    for (std::size_t start = 0; found.gpu_ids.size() < gpus;) {
        const std::size_t end = std::min(ids.find('\n', start), ids.size());
        found.gpu_ids.push_back(ids.substr(start, end - start));
        start = std::min(end + 1, ids.size());
    }
    return found;
}

/// Leaves the GPUs that some rank of the node may use. \param visible of this rank, renumbered
void keep_usable_gpus(const mpi::Communicator& node, Node& found, std::vector<int>& visible) {
    std::vector<Gpu> kept;
    std::vector<int> new_number(found.gpus.size(), -1);
    for (std::size_t gpu = 0; gpu < found.gpus.size(); ++gpu) {
        const bool mine =
            std::find(visible.begin(), visible.end(), static_cast<int>(gpu)) != visible.end();
        if (node.max(mine ? 1 : 0) > 0) {
            new_number[gpu] = static_cast<int>(kept.size());
            kept.push_back(found.gpus[gpu]);
        }
    }
    for (int& gpu : visible) {
        gpu = new_number[static_cast<std::size_t>(gpu)];
    }
    found.gpus = std::move(kept);
}

/// \param visible GPUs that this rank may use \param rank among those of its node
Place find_place(const Node& node, const std::vector<int>& visible, RankOnNode rank) {
    Place place = place_on_cores(node, 0, rank);
    if (!visible.empty()) {
        place.gpu = visible[static_cast<std::size_t>(rank.index) % visible.size()];
        place.numa = node.gpus[static_cast<std::size_t>(place.gpu)].numa;
        place.cores = node.numa[static_cast<std::size_t>(place.numa)].cores;
    }
    const std::vector<int> all = cores_of(node);
    const std::vector<int> mine = common(all, allowed_threads());
    if (mine.empty() || mine == all) {
        return place;
    }
    place.cores = mine;  // as the launcher wants it
    if (place.gpu < 0) {
        place.numa = domain_of_core(node, mine.front());
    }
    return place;
}

/// One inventory of what each rank describes of itself and its node.
std::string merge(const std::vector<std::string>& texts, const mpi::NodeLayout& layout) {
    Inventory whole;
    whole.ranks.resize(texts.size());
    for (int number = 0; number < layout.nodes(); ++number) {
        for (const int rank : layout.ranks_of(number)) {
            Inventory part =
                inventory_from_json(texts[static_cast<std::size_t>(rank)], "a rank's node");
            if (rank == layout.ranks_of(number).front()) {
                whole.nodes.push_back(std::move(part.nodes.front()));
                whole.network_gb_per_s =
                    number == 0 ? part.network_gb_per_s
                                : std::min(whole.network_gb_per_s, part.network_gb_per_s);
            }
            Place& place = whole.ranks[static_cast<std::size_t>(rank)];
            place = std::move(part.ranks.front());
            place.node = number;
        }
    }
    return to_json(whole);
}

}  // namespace

Inventory gather_inventory(const mpi::Communicator& world, Devices devices) {
    const mpi::NodeLayout layout(world, 0);
    Found found = probe_once_per_node(world, layout.node());
    Node& node = found.one_node.nodes.front();
    auto visible = visible_gpus(process_environment(), found.gpu_ids);
    keep_usable_gpus(layout.node(), node, visible);
    if (devices == Devices::cores) {
        visible.clear();
    }
    found.one_node.ranks = {
        find_place(node, visible, {.index = layout.node().rank(), .count = layout.node().size()})};
    const auto texts = world.gather_texts(to_json(found.one_node), 0);
    const std::string whole = mpi::on_root(world, [&] { return merge(texts, layout); });
    return inventory_from_json(whole, "the nodes of this job");
}

bool bind_to_domain(const mpi::Communicator& world, const Inventory& inventory) {
    const Place& place = inventory.ranks[static_cast<std::size_t>(world.rank())];
    const auto ranks_here =
        std::count_if(inventory.ranks.begin(), inventory.ranks.end(), [&](const Place& other) {
            return other.node == place.node;
        });
    const auto domains = inventory.nodes[static_cast<std::size_t>(place.node)].numa.size();
    if (domains < 2 || (place.gpu < 0 && static_cast<std::size_t>(ranks_here) < domains)) {
        return false;
    }
    const auto by_domain = threads_by_domain();
    std::size_t all = 0;
    for (const auto& threads : by_domain) {
        all += threads.size();
    }
    if (allowed_threads().size() < all) {
        return false;  // the launcher has chosen
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int thread : by_domain.at(static_cast<std::size_t>(place.numa))) {
        CPU_SET(static_cast<unsigned>(thread), &set);
    }
    return sched_setaffinity(0, sizeof(set), &set) == 0;
}

}  // namespace reelyard::topology
