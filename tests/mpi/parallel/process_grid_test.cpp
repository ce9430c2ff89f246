#include "reelyard/parallel/process_grid.hpp"

#include <set>

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"
#include "reelyard/parallel/video_group.hpp"

#include "reelyard/test/shared_folder.hpp"

namespace reelyard::parallel {
namespace {

/// All layouts that `ranks` can fill, wholly or in part.
std::vector<ParallelLayout> layouts_for(int ranks) {
    std::vector<ParallelLayout> layouts;
    for (int tensor = 1; tensor <= ranks; ++tensor) {
        for (int ulysses = 1; ulysses * tensor <= ranks; ++ulysses) {
            for (int ring = 1; ring * ulysses * tensor <= ranks; ++ring) {
                const int cfg = ring * ulysses * tensor * 2 <= ranks ? 2 : 1;
                const int group = cfg * ring * ulysses * tensor;
                layouts.push_back({.replicas = ranks / group,
                                   .cfg = cfg,
                                   .ring = ring,
                                   .ulysses = ulysses,
                                   .tensor = tensor});
            }
        }
    }
    return layouts;
}

TEST(ProcessGrid, groups_are_the_degrees_of_the_layout) {
    const mpi::Communicator ranks = test::world();
    for (const ParallelLayout& layout : layouts_for(ranks.size())) {
        SCOPED_TRACE(to_string(layout));
        const ProcessGrid grid(ranks, layout);
        const VideoGroup group = make_video_group(grid, 10.0);
        const mpi::Communicator replica = grid.replica_group();

        EXPECT_EQ(grid.is_spare(), ranks.rank() >= layout.used_ranks());
        if (grid.is_spare()) {
            EXPECT_EQ(replica.size(), ranks.size() - layout.used_ranks());
            EXPECT_EQ(group.replica->size(), replica.size());
            EXPECT_EQ(group.sequence->size(), 1);
            continue;
        }
        EXPECT_EQ(replica.size(), layout.group_size());
        EXPECT_EQ(group.tensor->size(), layout.tensor);
        EXPECT_EQ(group.tensor->rank(), grid.position().tensor);
        EXPECT_EQ(group.ulysses->size(), layout.ulysses);
        EXPECT_EQ(group.ulysses->rank(), grid.position().ulysses);
        EXPECT_EQ(group.ring->size(), layout.ring);
        EXPECT_EQ(group.ring->rank(), grid.position().ring);
        EXPECT_EQ(group.cfg->size(), layout.cfg);
        EXPECT_EQ(group.cfg->rank(), grid.position().cfg);
        EXPECT_EQ(group.tokens().degree, layout.sequence_size());
        EXPECT_EQ(group.tokens().index,
                  grid.position().ring * layout.ulysses + grid.position().ulysses);
    }
}

TEST(ProcessGrid, says_what_each_rank_loads_and_with_whom_it_shares_blocks) {
    const mpi::Communicator ranks = test::world();
    for (ParallelLayout layout : layouts_for(ranks.size())) {
        SCOPED_TRACE(to_string(layout));
        for (const bool is_asked : {false, true}) {
            layout.shard_weights = is_asked;
            const ProcessGrid grid(ranks, layout);
            const VideoGroup group = make_video_group(grid, 10.0);
            const int sharers = is_asked ? layout.cfg * layout.ring * layout.ulysses : 1;

            EXPECT_EQ(grid.slice().degree, layout.tensor);
            EXPECT_EQ(grid.block_part().degree, sharers);
            if (grid.is_spare()) {
                EXPECT_EQ(grid.slice().index, 0);
                EXPECT_EQ(grid.block_part().index, 0);
                continue;
            }
            EXPECT_EQ(group.shards->size(), sharers);
            EXPECT_EQ(group.shards->rank(), grid.block_part().index);
            EXPECT_EQ(group.tensor->rank(), grid.slice().index);
        }
    }
}

TEST(ProcessGrid, a_placement_says_which_rank_is_where) {
    const mpi::Communicator ranks = test::world();
    const ParallelLayout layout{.ulysses = ranks.size()};
    std::vector<int> backwards;
    for (int rank = ranks.size() - 1; rank >= 0; --rank) {
        backwards.push_back(rank);
    }

    const ProcessGrid grid(ranks, layout, backwards);

    EXPECT_EQ(grid.position().ulysses, ranks.size() - 1 - ranks.rank());
    EXPECT_EQ(grid.ulysses_group().rank(), ranks.size() - 1 - ranks.rank());
}

TEST(ProcessGrid, a_layout_of_more_ranks_than_there_are_is_refused) {
    const mpi::Communicator ranks = test::world();
    try {
        const ProcessGrid grid(ranks, {.replicas = 3, .tensor = ranks.size()});
        ADD_FAILURE() << "not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_THAT(error.message(), testing::HasSubstr("needs"));
    }
}

}  // namespace
}  // namespace reelyard::parallel
