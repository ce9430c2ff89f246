#include "reelyard/plan/grid_picture.hpp"

#include <gtest/gtest.h>

#include "hardware.hpp"

namespace reelyard::plan {
namespace {

TEST(GridPicture, shows_every_rank_with_its_place) {
    topology::Inventory inventory = test::gpu_nodes(1);
    inventory.ranks.resize(3);

    EXPECT_EQ(grid_picture({.ulysses = 2}, inventory, {2, 0}),
              "node-0: 8 x H100, 80.0 GiB, nvlink\n"
              "  +-----------+-----------+-----------+\n"
              "  | gpu 0     | gpu 1     | gpu 2     |\n"
              "  | rank 0    | rank 1    | rank 2    |\n"
              "  | replica 0 | spare     | replica 0 |\n"
              "  | ulysses 1 |           | ulysses 0 |\n"
              "  +-----------+-----------+-----------+\n");
}

TEST(GridPicture, has_no_more_than_eight_ranks_in_a_row) {
    topology::Inventory inventory = test::gpu_nodes(1);
    inventory.ranks.push_back({.node = 0, .numa = 0, .gpu = -1, .cores = {}});
    const std::string text = grid_picture({.replicas = 9}, inventory, {0, 1, 2, 3, 4, 5, 6, 7, 8});

    EXPECT_NE(text.find("| gpu 7     |\n"), std::string::npos);
    EXPECT_NE(text.find("  | numa 0    |\n"), std::string::npos);
}

}  // namespace
}  // namespace reelyard::plan
