#include "../../../src/cli/bench/load/load_figures.hpp"

#include <gmock/gmock.h>

#include "../../../src/cli/bench/load/load_table.hpp"

namespace reelyard::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;

/// Two ranks, three repetitions; rank 1 is slower in the first and the last.
std::vector<RankFigures> two_ranks() {
    std::vector<RankFigures> ranks{{.rank = 0, .start_seconds = 0.5}, {.rank = 1}};
    const double seconds[2][3] = {{1.0, 4.0, 2.0}, {2.0, 3.0, 5.0}};
    for (std::size_t rank = 0; rank < 2; ++rank) {
        for (const double second : seconds[rank]) {
            ranks[rank].loads.push_back({.total_seconds = second,
                                         .ready_seconds = second + 1.0,
                                         .bytes_used = 8'000'000'000,
                                         .bytes_read = 4'000'000'000,
                                         .bytes_read_by_system = 4'000'000'000,
                                         .bytes_of_device = rank == 0 ? 8'000'000'000 : 0,
                                         .weight_bytes = 8'000'000'000,
                                         .peak_bytes = rank == 0 ? 100 : 300,
                                         .beyond_bytes = rank == 0 ? 20 : 10,
                                         .proportional_bytes = 4'000'000'000});
            ranks[rank].raws.push_back({.seconds = second / 2.0, .bytes = 4'000'000'000});
        }
    }
    return ranks;
}

TEST(LoadFigures, seconds_are_of_the_slowest_rank_of_each_repetition) {
    const LoadSummary summary = summarise(two_ranks());

    // 2, 4 and 5 s for the repetitions.
    EXPECT_DOUBLE_EQ(summary.load_seconds.median, 4.0);
    EXPECT_DOUBLE_EQ(summary.load_seconds.minimum, 2.0);
    EXPECT_DOUBLE_EQ(summary.load_seconds.maximum, 5.0);
    EXPECT_DOUBLE_EQ(summary.ready_seconds.median, 5.0);
    EXPECT_DOUBLE_EQ(summary.raw_seconds.median, 2.0);
    EXPECT_DOUBLE_EQ(summary.load_rate.median, 2e9);
    EXPECT_DOUBLE_EQ(summary.raw_rate.median, 4e9);
    EXPECT_DOUBLE_EQ(summary.ratio.median, 0.5);
    EXPECT_DOUBLE_EQ(summary.start_seconds, 0.5);
}

TEST(LoadFigures, bytes_are_sums_over_the_ranks_and_memory_is_what_was_most) {
    const LoadSummary summary = summarise(two_ranks());

    EXPECT_EQ(summary.bytes_used, 8'000'000'000);
    EXPECT_EQ(summary.bytes_read, 8'000'000'000);
    EXPECT_EQ(summary.bytes_of_device, 8'000'000'000);
    EXPECT_EQ(summary.weight_bytes, 16'000'000'000);
    EXPECT_EQ(summary.proportional_bytes, 8'000'000'000);
    EXPECT_EQ(summary.peak_bytes, 300);
    EXPECT_EQ(summary.beyond_bytes, 20);
}

TEST(LoadFigures, what_one_node_cannot_tell_is_unknown) {
    auto ranks = two_ranks();
    ranks[1].loads[2].bytes_of_device = -1;
    ranks[0].raws[1].resident_fraction = -1.0;

    const LoadSummary summary = summarise(ranks);

    EXPECT_FALSE(summary.bytes_of_device);
    EXPECT_FALSE(summary.resident_fraction);
    EXPECT_EQ(summarise(two_ranks()).resident_fraction, 0.0);
}

TEST(LoadFigures, an_even_number_of_repetitions_has_its_median_in_the_middle) {
    auto ranks = two_ranks();
    for (RankFigures& rank : ranks) {
        rank.loads.pop_back();
        rank.raws.pop_back();
    }

    EXPECT_DOUBLE_EQ(summarise(ranks).load_seconds.median, 3.0);
}

TEST(LoadFigures, figures_survive_the_way_to_another_rank) {
    const auto ranks = two_ranks();
    const RankFigures copy = rank_figures_from_text(to_text(ranks[1]));

    EXPECT_EQ(copy.rank, 1);
    EXPECT_EQ(to_text(copy), to_text(ranks[1]));
    EXPECT_EQ(copy.loads.size(), 3);
}

TEST(LoadTable, says_how_weights_were_loaded_and_what_it_took) {
    const LoadSetup setup{.settings = {.store = "m.h5", .tensor_parallel = 2},
                          .components = {"transformer"},
                          .transport = "direct",
                          .transport_reason = "ext4 is a local file system"};

    EXPECT_THAT(
        load_figures_table(setup, two_ranks()),
        AllOf(HasSubstr("m.h5"),
              HasSubstr("transport direct (ext4 is a local file system), slices of 2 ranks"),
              HasSubstr("4.000 s (2.000 to 5.000)"),
              HasSubstr("1.0000 x used"),
              HasSubstr("ratio 0.500")));
}

}  // namespace
}  // namespace reelyard::cli
