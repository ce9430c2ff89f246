#include "reelyard/topology/gather_inventory.hpp"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <sched.h>

#include "reelyard/mpi/check.hpp"
#include "reelyard/topology/placement.hpp"

namespace reelyard::topology {
namespace {

mpi::Communicator duplicate_of_world() {
    MPI_Comm made = MPI_COMM_NULL;
    mpi::check(MPI_Comm_dup(MPI_COMM_WORLD, &made), "MPI_Comm_dup");
    return mpi::Communicator::adopt(made);
}

cpu_set_t own_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof(set), &set);
    return set;
}

TEST(GatherInventory, finds_the_ranks_of_this_machine_on_one_node) {
    const auto world = duplicate_of_world();

    const Inventory inventory = gather_inventory(world, Devices::cores);

    ASSERT_EQ(inventory.nodes.size(), 1U);
    ASSERT_EQ(static_cast<int>(inventory.ranks.size()), world.size());
    for (const Place& place : inventory.ranks) {
        EXPECT_EQ(place.node, 0);
        EXPECT_EQ(place.gpu, -1);
        EXPECT_LT(place.numa, static_cast<int>(inventory.nodes[0].numa.size()));
        EXPECT_GE(place.cores.size(), 1U);
    }
}

TEST(GatherInventory, is_the_same_on_all_ranks) {
    const auto world = duplicate_of_world();

    const std::string text = to_json(gather_inventory(world));

    EXPECT_EQ(text, world.broadcast_text(text, 0));
}

TEST(GatherInventory, notes_the_cores_that_the_launcher_gave) {
    const auto world = duplicate_of_world();
    const cpu_set_t before = own_cores();
    int last = 0;
    for (int core = 0; core < CPU_SETSIZE; ++core) {
        last = CPU_ISSET(core, &before) ? core : last;
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(last), &one);

    // Only the last rank is bound.
    const bool is_bound = world.rank() == world.size() - 1;
    const bool has_choice = CPU_COUNT(&before) > 1;
    if (is_bound) {
        ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    }
    const Inventory inventory = gather_inventory(world, Devices::cores);
    const bool bound_again = bind_to_domain(world, inventory);
    const cpu_set_t after = own_cores();
    sched_setaffinity(0, sizeof(before), &before);

    if (is_bound) {
        EXPECT_FALSE(bound_again);
        EXPECT_TRUE(CPU_EQUAL(&after, &one));
    }
    if (has_choice) {
        EXPECT_EQ(inventory.ranks.back().cores.size(), 1U);
    }
}

TEST(GatherInventory, is_enough_to_place_a_grid) {
    const auto world = duplicate_of_world();

    const auto placement =
        place_ranks(gather_inventory(world, Devices::cores), {.ulysses = world.size()});

    std::vector<int> sorted = placement;
    std::sort(sorted.begin(), sorted.end());
    std::vector<int> all(static_cast<std::size_t>(world.size()));
    std::iota(all.begin(), all.end(), 0);
    EXPECT_EQ(sorted, all);
    EXPECT_EQ(placement.front(), 0);
}

}  // namespace
}  // namespace reelyard::topology
