#include "machine.hpp"

#include <utility>

#include "reelyard/base/error.hpp"
#include "reelyard/device/device.hpp"
#include "reelyard/topology/gather_inventory.hpp"

namespace reelyard::cli {

Machine::Machine(std::string name, topology::Inventory nodes)
    : name_(std::move(name))
    , nodes_(std::move(nodes)) {}

Machine Machine::here(const mpi::Communicator& alone, const jobs::ModelOptions& model) {
    const bool is_on_gpus = device::resolve(model.device, 0).is_cuda();
    return {"this machine",
            topology::gather_inventory(
                alone, is_on_gpus ? topology::Devices::any : topology::Devices::cores)};
}

Machine Machine::described_by(const std::filesystem::path& file, const jobs::ModelOptions& model) {
    topology::Inventory nodes = topology::read_inventory(file.string());
    if (model.device == "cpu") {
        for (topology::Node& node : nodes.nodes) {
            node.gpus.clear();
        }
    }
    return {file.string(), std::move(nodes)};
}

bool Machine::has_gpus() const {
    return !nodes_.nodes.front().gpus.empty();
}

int Machine::usual_ranks_per_node() const {
    const topology::Node& node = nodes_.nodes.front();
    return static_cast<int>(node.gpus.empty() ? node.numa.size() : node.gpus.size());
}

topology::Inventory Machine::with_ranks(int ranks, int per_node) const {
    const int needed = (ranks + per_node - 1) / per_node;
    topology::Inventory inventory = nodes_;
    if (nodes_.nodes.size() == 1) {
        inventory = topology::with_nodes(nodes_, needed);
    }
    const int listed = static_cast<int>(inventory.nodes.size());
    require(
        needed <= listed,
        ErrorKind::usage,
        "scale: {} ranks take {} nodes of {} rank{}, but {} lists {} (a file with a single node "
        "stands for as many as are needed)",
        ranks,
        needed,
        per_node,
        per_node == 1 ? "" : "s",
        name_,
        listed);
    inventory.nodes.resize(static_cast<std::size_t>(needed));
    inventory = topology::with_ranks(inventory, needed == 1 ? ranks : per_node);
    inventory.ranks.resize(static_cast<std::size_t>(ranks));
    return inventory;
}

topology::Inventory Machine::with_known_links(int ranks, int per_node) const {
    topology::Inventory inventory = with_ranks(ranks, per_node);
    require(inventory.nodes.size() == 1 || nodes_.network_gb_per_s > 0.0,
            ErrorKind::usage,
            "scale: {} ranks take {} nodes of {} rank{}, but {} does not tell how fast the network "
            "between nodes is (expected --topology with a file that has 'network_gb_per_s', or "
            "more --ranks-per-node)",
            ranks,
            inventory.nodes.size(),
            per_node,
            per_node == 1 ? "" : "s",
            name_);
    return inventory;
}

}  // namespace reelyard::cli
