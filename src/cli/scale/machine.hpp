#pragma once

#include <filesystem>
#include <string>

#include "reelyard/jobs/job_options.hpp"
#include "reelyard/mpi/communicator.hpp"
#include "reelyard/topology/inventory.hpp"

namespace reelyard::cli {

/// Nodes that a job is, or could be, run on.
class Machine {
public:
    /// More nodes like this one, with the devices that the job would take here.
    [[nodiscard]] static Machine here(const mpi::Communicator& alone,
                                      const jobs::ModelOptions& model);

    /// What a file describes; a single node stands for as many like it as are needed.
    /// \throws Error (input)
    [[nodiscard]] static Machine described_by(const std::filesystem::path& file,
                                              const jobs::ModelOptions& model);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] double network_gb_per_s() const { return nodes_.network_gb_per_s; }
    [[nodiscard]] bool has_gpus() const;
    /// One for each GPU, or for each NUMA domain.
    [[nodiscard]] int usual_ranks_per_node() const;

    /// The machine with ranks on it, node after node; the last one may have fewer.
    /// \throws Error (usage) when a file lists too few nodes
    [[nodiscard]] topology::Inventory with_ranks(int ranks, int per_node) const;

    /// As with_ranks(). \throws Error (usage), also when several nodes are needed and nothing is
    /// known of the network between them
    [[nodiscard]] topology::Inventory with_known_links(int ranks, int per_node) const;

private:
    Machine(std::string name, topology::Inventory nodes);

    std::string name_;
    topology::Inventory nodes_;
};

}  // namespace reelyard::cli
