#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace reelyard::store {

/// A run of a segment's memory that is read by one rank.
struct Piece {
    std::int64_t begin = 0;
    std::int64_t end = 0;
};

/// A piece that another rank reads and this one receives.
struct IncomingPiece {
    int source = 0;  ///< rank in the group
    Piece piece;
};

/// Who reads what, and who gets it from whom. Decided from the numbers alone, so that every rank
/// knows it without asking: the pieces of a segment are dealt out in rounds, in each of which every
/// reading rank of every node reads at most one. Of each node as many ranks read as the smallest
/// node has; reader j of a node sends to reader j of all others.
class PieceSchedule {
public:
    /// \param bytes of the segment \param largest piece, a multiple of a page
    /// \param ranks_by_node the ranks of the group; each is on one node
    /// \param rank whose schedule it is
    PieceSchedule(std::int64_t bytes,
                  std::int64_t largest,
                  const std::vector<std::vector<int>>& ranks_by_node,
                  int rank);

    [[nodiscard]] std::int64_t rounds() const { return rounds_; }
    /// The piece that this rank reads in a round, if any.
    [[nodiscard]] std::optional<Piece> own(std::int64_t round) const;
    /// Who gets the pieces that this rank reads.
    [[nodiscard]] const std::vector<int>& targets() const { return peers_; }
    /// What this rank receives in a round, for its node.
    [[nodiscard]] std::vector<IncomingPiece> incoming(std::int64_t round) const;
    /// The pieces that land on this node in a round, whoever reads them: as many as
    /// slots_per_round() or, at the end, fewer.
    [[nodiscard]] std::vector<Piece> landing(std::int64_t round) const;
    [[nodiscard]] int slots_per_round() const { return readers_ * nodes_; }
    [[nodiscard]] std::int64_t piece_bytes() const { return piece_bytes_; }
    /// Which of the slots of a round a piece lands in.
    [[nodiscard]] std::int64_t slot_of(const Piece& piece) const;
    [[nodiscard]] std::int64_t round_of(const Piece& piece) const;

private:
    [[nodiscard]] std::optional<Piece> piece(std::int64_t round, int node, int reader) const;

    std::int64_t bytes_;
    int nodes_;
    int own_node_ = 0;
    int readers_ = 0;  ///< of each node
    int reader_ = -1;  ///< this rank's number among those of its node; -1: it reads nothing
    std::int64_t piece_bytes_ = 0;
    std::int64_t rounds_ = 0;
    std::vector<int> peers_;  ///< reader j of the other nodes, beginning with the next node
};

}  // namespace reelyard::store
