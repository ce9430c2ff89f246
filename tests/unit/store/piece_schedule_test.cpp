#include "load/piece_schedule.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

namespace reelyard::store {
namespace {

using Nodes = std::vector<std::vector<int>>;

/// Nodes with so many ranks each, numbered one after the other.
Nodes nodes_of(const std::vector<int>& sizes) {
    Nodes nodes;
    int next = 0;
    for (const int size : sizes) {
        nodes.emplace_back(static_cast<std::size_t>(size));
        std::iota(nodes.back().begin(), nodes.back().end(), next);
        next += size;
    }
    return nodes;
}

/// The schedules of all ranks, and what they do together.
class Job {
public:
    Job(std::int64_t bytes, std::int64_t largest, Nodes nodes)
        : bytes_(bytes)
        , nodes_(std::move(nodes)) {
        for (const auto& ranks : nodes_) {
            for (const int rank : ranks) {
                schedules_.emplace(rank, PieceSchedule(bytes, largest, nodes_, rank));
            }
        }
    }

    [[nodiscard]] const PieceSchedule& of(int rank) const { return schedules_.at(rank); }
    [[nodiscard]] std::int64_t rounds() const { return schedules_.begin()->second.rounds(); }

    [[nodiscard]] std::int64_t read_by(int rank) const {
        std::int64_t bytes = 0;
        for (std::int64_t round = 0; round < rounds(); ++round) {
            const auto piece = of(rank).own(round);
            bytes += piece ? piece->end - piece->begin : 0;
        }
        return bytes;
    }

    /// How often each page of the segment is written on a node, by reads and receipts.
    [[nodiscard]] std::vector<int> landings_on(const std::vector<int>& ranks) const {
        std::vector<int> pages(static_cast<std::size_t>((bytes_ + page - 1) / page));
        const auto count = [&](const Piece& piece) {
            for (std::int64_t at = piece.begin; at < piece.end; at += page) {
                ++pages[static_cast<std::size_t>(at / page)];
            }
        };
        for (const int rank : ranks) {
            for (std::int64_t round = 0; round < rounds(); ++round) {
                if (const auto own = of(rank).own(round)) {
                    count(*own);
                }
                for (const IncomingPiece& incoming : of(rank).incoming(round)) {
                    count(incoming.piece);
                }
            }
        }
        return pages;
    }

    static constexpr std::int64_t page = 4096;

private:
    std::int64_t bytes_;
    Nodes nodes_;
    std::map<int, PieceSchedule> schedules_;
};

struct Case {
    std::int64_t bytes;
    std::int64_t largest;
    std::vector<int> sizes;
};

std::vector<Case> cases() {
    std::vector<Case> all{{1, 4096, {1}},
                          {4096 * 7 + 5, 4096, {2, 2}},
                          {40'000'000, 1 << 20, {8, 8, 8, 8, 8, 8, 8, 8}},
                          {40'000'000, 1 << 24, {1, 1, 1, 1, 1}},
                          {12'345'678, 1 << 16, {3, 1, 2}}};
    std::mt19937 random(5);  // NOLINT(cert-msc51-cpp,cert-msc32-c): the same cases each time
    for (int i = 0; i < 40; ++i) {
        Case drawn{static_cast<std::int64_t>(random() % 30'000'000 + 1),
                   static_cast<std::int64_t>(random() % 300 + 1) * 4096,
                   {}};
        for (std::size_t nodes = random() % 8 + 1; nodes > 0; --nodes) {
            drawn.sizes.push_back(static_cast<int>(random() % 8 + 1));
        }
        all.push_back(drawn);
    }
    return all;
}

TEST(PieceSchedule, brings_every_byte_to_every_node_once_and_reads_it_once) {
    for (const Case& each : cases()) {
        const Nodes nodes = nodes_of(each.sizes);
        const Job job(each.bytes, each.largest, nodes);

        std::int64_t read = 0;
        for (const auto& ranks : nodes) {
            EXPECT_THAT(job.landings_on(ranks), testing::Each(1)) << each.bytes;
            for (const int rank : ranks) {
                read += job.read_by(rank);
            }
        }
        EXPECT_EQ(read, each.bytes);
    }
}

TEST(PieceSchedule, sends_what_others_expect_in_the_same_order) {
    for (const Case& each : cases()) {
        const Nodes nodes = nodes_of(each.sizes);
        const Job job(each.bytes, each.largest, nodes);
        // By sender and receiver: where the pieces begin, in the order of the rounds.
        std::map<std::pair<int, int>, std::vector<std::int64_t>> sent;
        std::map<std::pair<int, int>, std::vector<std::int64_t>> expected;
        for (const auto& ranks : nodes) {
            for (const int rank : ranks) {
                for (std::int64_t round = 0; round < job.rounds(); ++round) {
                    const auto own = job.of(rank).own(round);
                    for (const int target : job.of(rank).targets()) {
                        if (own) {
                            sent[{rank, target}].push_back(own->begin);
                        }
                    }
                    for (const IncomingPiece& incoming : job.of(rank).incoming(round)) {
                        expected[{incoming.source, rank}].push_back(incoming.piece.begin);
                    }
                }
            }
        }
        EXPECT_EQ(sent, expected);
    }
}

TEST(PieceSchedule, gives_nodes_and_readers_equal_shares) {
    const Nodes nodes = nodes_of({8, 8, 8, 8, 8, 8, 8, 8});
    constexpr std::int64_t bytes = 28'000'000'000 / 7;
    const Job job(bytes, 16 << 20, nodes);

    for (int rank = 0; rank < 64; ++rank) {
        // To within one piece: of the last round some get nothing.
        EXPECT_NEAR(static_cast<double>(job.read_by(rank)), bytes / 64.0, 16 << 20) << rank;
    }
}

TEST(PieceSchedule, reads_large_pieces_of_large_segments_and_many_of_small_ones) {
    const Nodes nodes = nodes_of({2});

    EXPECT_EQ(PieceSchedule(1LL << 32, 16 << 20, nodes, 0).piece_bytes(), 16 << 20);
    EXPECT_GE(PieceSchedule(3'000'000, 16 << 20, nodes, 0).rounds(), 8);
    EXPECT_EQ(PieceSchedule(0, 16 << 20, nodes, 0).rounds(), 0);
}

TEST(PieceSchedule, lands_pieces_of_a_round_in_slots_of_their_own) {
    for (const Case& each : cases()) {
        const Nodes nodes = nodes_of(each.sizes);
        const PieceSchedule schedule(each.bytes, each.largest, nodes, 0);
        for (std::int64_t round = 0; round < schedule.rounds(); ++round) {
            std::vector<std::int64_t> slots;
            for (const Piece& piece : schedule.landing(round)) {
                EXPECT_EQ(schedule.round_of(piece), round);
                slots.push_back(schedule.slot_of(piece));
            }
            std::sort(slots.begin(), slots.end());
            EXPECT_EQ(std::unique(slots.begin(), slots.end()), slots.end());
            EXPECT_LT(slots.back(), schedule.slots_per_round());
        }
    }
}

}  // namespace
}  // namespace reelyard::store
