#include "reelyard/mpi/node_layout.hpp"

#include <numeric>
#include <vector>

#include <gmock/gmock.h>

#include "reelyard/mpi/check.hpp"

namespace reelyard::mpi {
namespace {

Communicator duplicate_of_world() {
    MPI_Comm made = MPI_COMM_NULL;
    check(MPI_Comm_dup(MPI_COMM_WORLD, &made), "MPI_Comm_dup");
    return Communicator::adopt(made);
}

std::vector<int> numbers(int first, int last) {
    std::vector<int> list(static_cast<std::size_t>(last - first));
    std::iota(list.begin(), list.end(), first);
    return list;
}

TEST(NodeLayout, finds_all_ranks_of_this_machine_on_one_node) {
    const Communicator world = duplicate_of_world();

    const NodeLayout layout(world, 0);

    EXPECT_EQ(layout.nodes(), 1);
    EXPECT_EQ(layout.own_node(), 0);
    EXPECT_EQ(layout.ranks_of(0), numbers(0, world.size()));
    EXPECT_EQ(layout.node().size(), world.size());
}

TEST(NodeLayout, counts_runs_of_ranks_as_nodes_when_asked) {
    const Communicator world = duplicate_of_world();

    const NodeLayout layout(world, 2);

    EXPECT_EQ(layout.nodes(), (world.size() + 1) / 2);
    EXPECT_EQ(layout.own_node(), world.rank() / 2);
    EXPECT_EQ(layout.node().rank(), world.rank() % 2);
    for (int node = 0; node < layout.nodes(); ++node) {
        EXPECT_EQ(layout.ranks_of(node), numbers(2 * node, std::min(2 * node + 2, world.size())));
    }
}

TEST(NodeLayout, takes_nodes_in_the_order_of_their_lowest_ranks) {
    const Communicator world = duplicate_of_world();

    // Even and odd ranks are apart, as a launcher that deals ranks out in turn places them.
    const NodeLayout layout = NodeLayout::by_number(world, 7 - world.rank() % 2);

    EXPECT_EQ(layout.nodes(), std::min(world.size(), 2));
    EXPECT_EQ(layout.own_node(), world.rank() % 2);
    for (const int rank : layout.ranks_of(layout.own_node())) {
        EXPECT_EQ(rank % 2, world.rank() % 2);
    }
}

}  // namespace
}  // namespace reelyard::mpi
