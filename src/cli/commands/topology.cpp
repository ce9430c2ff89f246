#include "topology.hpp"

#include <iostream>
#include <sstream>

#include <boost/program_options.hpp>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/topology/gather_inventory.hpp"
#include "reelyard/topology/inventory.hpp"
#include "reelyard/topology/picture.hpp"

#include "../arguments.hpp"

namespace reelyard::cli {
namespace {

namespace po = boost::program_options;
using topology::Inventory;

struct TopologyOptions {
    std::string file;
    int nodes = 0;
    bool json = false;
    bool help = false;
};

po::options_description describe(TopologyOptions& options) {
    po::options_description known("options");
    // clang-format off
    known.add_options()
        ("topology", po::value(&options.file)->value_name("FILE"),
         "show what this file says: JSON, or XML of hwloc (lstopo FILE.xml)")
        ("nodes", po::value(&options.nodes)->value_name("N"),
         "a cluster of N nodes like the first one, without ranks")
        ("json", po::bool_switch(&options.json), "print JSON that --topology reads")
        ("help", po::bool_switch(&options.help), "print this text");
    // clang-format on
    return known;
}

TopologyOptions parse(const std::vector<std::string>& arguments) {
    TopologyOptions options;
    const auto known = describe(options);
    const auto given = read_arguments("topology", known, "", arguments);
    require(options.nodes > 0 || given.count("nodes") == 0,
            ErrorKind::usage,
            "topology: --nodes is {} (expected 1 or more)",
            options.nodes);
    return options;
}

std::string help_text() {
    TopologyOptions options;
    std::ostringstream text;
    text << "Shows the nodes, NUMA domains, GPUs and links that the ranks of a job are on.\n\n"
            "usage: reelyard topology [options]\n"
            "       mpirun -n N reelyard topology [options]\n\n"
         << describe(options);
    return text.str();
}

Inventory find_inventory(const mpi::Communicator& world, const TopologyOptions& options) {
    if (options.file.empty()) {
        return topology::gather_inventory(world);
    }
    const std::string text = mpi::on_root(
        world, [&] { return topology::to_json(topology::read_inventory(options.file)); });
    return topology::inventory_from_json(text, options.file);
}

}  // namespace

int topology_command(const std::vector<std::string>& arguments, const mpi::Session& session) {
    const auto& world = session.world();
    TopologyOptions options;
    mpi::together(world, [&] { options = parse(arguments); });
    if (options.help) {
        if (world.rank() == 0) {
            std::cout << help_text();
        }
        return 0;
    }
    Inventory inventory = find_inventory(world, options);
    if (options.nodes > 0) {
        inventory = topology::with_nodes(inventory, options.nodes);
    }
    if (world.rank() == 0) {
        std::cout << (options.json ? topology::to_json(inventory)
                                   : topology::picture_of(inventory));
    }
    return 0;
}

}  // namespace reelyard::cli
