#include "reelyard/mpi/node_layout.hpp"

#include <cstddef>
#include <map>
#include <span>
#include <utility>

#include "reelyard/mpi/check.hpp"

namespace reelyard::mpi {
namespace {

Communicator find_node(const Communicator& ranks, int ranks_per_node) {
    return ranks_per_node > 0 ? ranks.split(ranks.rank() / ranks_per_node, ranks.rank())
                              : ranks.split_by_node();
}

/// The lowest rank of this rank's node stands for the node.
int lowest_rank(const Communicator& node, int own_rank) {
    int rank = own_rank;
    node.broadcast(std::as_writable_bytes(std::span(&rank, 1)), 0);
    return rank;
}

}  // namespace

NodeLayout::NodeLayout(const Communicator& ranks, int ranks_per_node)
    : NodeLayout(ranks, find_node(ranks, ranks_per_node)) {}

NodeLayout NodeLayout::by_number(const Communicator& ranks, int number) {
    return {ranks, ranks.split(number, ranks.rank())};
}

NodeLayout::NodeLayout(const Communicator& ranks, Communicator node) : node_(std::move(node)) {
    const int own = lowest_rank(node_, ranks.rank());
    std::vector<int> lowest(static_cast<std::size_t>(ranks.size()));
    check(MPI_Allgather(&own, 1, MPI_INT, lowest.data(), 1, MPI_INT, ranks.handle()),
          "MPI_Allgather");

    std::map<int, int> node_of_lowest;
    for (int rank = 0; rank < ranks.size(); ++rank) {
        const auto [found, is_new] = node_of_lowest.try_emplace(
            lowest[static_cast<std::size_t>(rank)], static_cast<int>(ranks_.size()));
        if (is_new) {
            ranks_.emplace_back();
        }
        ranks_[static_cast<std::size_t>(found->second)].push_back(rank);
    }
    own_node_ = node_of_lowest.at(own);
}

}  // namespace reelyard::mpi
