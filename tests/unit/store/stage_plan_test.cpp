#include "stage/stage_plan.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include <gmock/gmock.h>

namespace reelyard::store {
namespace {

struct Case {
    std::int64_t file_bytes;
    std::vector<int> ranks;
};

class StagePlanTest : public testing::TestWithParam<Case> {
protected:
    [[nodiscard]] StagePlan plan() const { return {GetParam().file_bytes, GetParam().ranks}; }
    [[nodiscard]] int nodes() const { return static_cast<int>(GetParam().ranks.size()); }
};

TEST_P(StagePlanTest, reads_every_byte_once) {
    const StagePlan plan = this->plan();
    std::map<std::int64_t, std::int64_t> pieces;

    for (std::int64_t step = 0; step < plan.steps(); ++step) {
        for (int node = 0; node < nodes(); ++node) {
            const Interval piece = plan.piece(node, step);
            if (piece.begin < piece.end) {
                EXPECT_TRUE(pieces.emplace(piece.begin, piece.end).second);
            }
        }
    }

    std::int64_t at = 0;
    for (const auto& [begin, end] : pieces) {
        EXPECT_EQ(begin, at);
        EXPECT_EQ(begin % 4096, 0);
        at = end;
    }
    EXPECT_EQ(at, GetParam().file_bytes);
}

TEST_P(StagePlanTest, gives_every_node_an_equal_share) {
    const StagePlan plan = this->plan();
    std::vector<std::int64_t> shares(static_cast<std::size_t>(nodes()));

    for (std::int64_t step = 0; step < plan.steps(); ++step) {
        for (int node = 0; node < nodes(); ++node) {
            const Interval piece = plan.piece(node, step);
            EXPECT_LE(piece.end - piece.begin, 16 << 20);
            shares[static_cast<std::size_t>(node)] += piece.end - piece.begin;
        }
    }

    // Within the rounding of pieces to pages.
    const auto [least, most] = std::minmax_element(shares.begin(), shares.end());
    EXPECT_LE(*most - *least, plan.piece_bytes() + plan.steps() * nodes() * 4096);
    EXPECT_LE(*most, GetParam().file_bytes / nodes() + (plan.steps() + 1) * 4096 + 4096);
}

TEST_P(StagePlanTest, gives_every_rank_of_a_node_as_many_pieces) {
    const StagePlan plan = this->plan();

    for (int node = 0; node < nodes(); ++node) {
        std::map<int, std::int64_t> counts;
        for (std::int64_t step = 0; step < plan.steps(); ++step) {
            ++counts[plan.rank_of(node, step)];
        }
        const int ranks = GetParam().ranks[static_cast<std::size_t>(node)];
        EXPECT_EQ(static_cast<int>(counts.size()), ranks);
        EXPECT_EQ(counts.rbegin()->first, ranks - 1);
        const auto [least, most] = std::minmax_element(
            counts.begin(), counts.end(), [](auto a, auto b) { return a.second < b.second; });
        EXPECT_LE(most->second - least->second, 1);
    }
}

INSTANTIATE_TEST_SUITE_P(table,
                         StagePlanTest,
                         testing::Values(Case{1, {1}},
                                         Case{4096, {1}},
                                         Case{4097, {2, 2}},
                                         Case{3'500'000, {1, 1}},
                                         Case{3'500'000, {4}},
                                         Case{3'500'000, {2, 1}},
                                         Case{(16 << 20) + 1, {1}},
                                         Case{1'000'000'007, {8, 8, 8}},
                                         Case{28'000'000'000, {8, 8, 8, 8, 8, 8, 8, 3}},
                                         Case{28'000'000'000, std::vector<int>(64, 4)}));

}  // namespace
}  // namespace reelyard::store
