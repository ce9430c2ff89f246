#pragma once

#include <vector>

#include "reelyard/mpi/communicator.hpp"

namespace reelyard::mpi {

/// How the ranks of a communicator lie on nodes. The same on every rank, but for node().
class NodeLayout {
public:
    /// Collective. \param ranks_per_node 0: as they really lie, by shared memory; otherwise each
    /// run of so many ranks counts as a node, so that what happens between nodes can be seen on one
    NodeLayout(const Communicator& ranks, int ranks_per_node);
    /// Collective. Ranks that give the same number are on one node.
    [[nodiscard]] static NodeLayout by_number(const Communicator& ranks, int number);

    [[nodiscard]] int nodes() const { return static_cast<int>(ranks_.size()); }
    /// This rank's node: 0 .. nodes() - 1, in the order of their lowest ranks.
    [[nodiscard]] int own_node() const { return own_node_; }
    /// The ranks of one node, ascending, in the communicator that the layout was made of.
    [[nodiscard]] const std::vector<int>& ranks_of(int node) const {
        return ranks_[static_cast<std::size_t>(node)];
    }
    /// The same for all nodes.
    [[nodiscard]] const std::vector<std::vector<int>>& ranks_by_node() const { return ranks_; }
    /// The ranks of this node, in the order of ranks_of().
    [[nodiscard]] const Communicator& node() const { return node_; }

private:
    NodeLayout(const Communicator& ranks, Communicator node);

    Communicator node_;
    int own_node_ = 0;
    std::vector<std::vector<int>> ranks_;
};

}  // namespace reelyard::mpi
