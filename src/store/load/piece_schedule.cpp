#include "load/piece_schedule.hpp"

#include <algorithm>

#include "reelyard/base/bytes.hpp"

#include "memory/page.hpp"

namespace reelyard::store {
namespace {

// With fewer rounds the last one, which not all ranks have a piece for, would weigh too much.
constexpr std::int64_t fewest_rounds = 8;

int smallest_node(const std::vector<std::vector<int>>& ranks_by_node) {
    std::size_t fewest = ranks_by_node.front().size();
    for (const std::vector<int>& ranks : ranks_by_node) {
        fewest = std::min(fewest, ranks.size());
    }
    return static_cast<int>(fewest);
}

}  // namespace

PieceSchedule::PieceSchedule(std::int64_t bytes,
                             std::int64_t largest,
                             const std::vector<std::vector<int>>& ranks_by_node,
                             int rank)
    : bytes_(bytes)
    , nodes_(static_cast<int>(ranks_by_node.size()))
    , readers_(smallest_node(ranks_by_node)) {
    const std::int64_t readers = static_cast<std::int64_t>(readers_) * nodes_;
    piece_bytes_ = std::clamp(
        align_up(bytes_ / (readers * fewest_rounds), page), page, std::max(page, largest));
    const std::int64_t pieces = align_up(bytes_, piece_bytes_) / piece_bytes_;
    rounds_ = align_up(pieces, readers) / readers;

    int number = 0;
    for (int node = 0; node < nodes_; ++node) {
        const std::vector<int>& ranks = ranks_by_node[static_cast<std::size_t>(node)];
        const auto found = std::find(ranks.begin(), ranks.end(), rank);
        if (found != ranks.end()) {
            own_node_ = node;
            number = static_cast<int>(found - ranks.begin());
        }
    }
    if (number >= readers_) {
        return;
    }
    reader_ = number;
    for (int step = 1; step < nodes_; ++step) {
        const auto node = static_cast<std::size_t>((own_node_ + step) % nodes_);
        peers_.push_back(ranks_by_node[node][static_cast<std::size_t>(reader_)]);
    }
}

std::optional<Piece> PieceSchedule::piece(std::int64_t round, int node, int reader) const {
    const std::int64_t number = (round * readers_ + reader) * nodes_ + node;
    const std::int64_t begin = number * piece_bytes_;
    if (reader < 0 || begin >= bytes_) {
        return std::nullopt;
    }
    return Piece{.begin = begin, .end = std::min(begin + piece_bytes_, bytes_)};
}

std::optional<Piece> PieceSchedule::own(std::int64_t round) const {
    return piece(round, own_node_, reader_);
}

std::vector<IncomingPiece> PieceSchedule::incoming(std::int64_t round) const {
    std::vector<IncomingPiece> pieces;
    // peers_[i] is on the node i + 1 after this one.
    for (std::size_t i = 0; i < peers_.size(); ++i) {
        const int node = (own_node_ + 1 + static_cast<int>(i)) % nodes_;
        if (const auto found = piece(round, node, reader_)) {
            pieces.push_back({.source = peers_[i], .piece = *found});
        }
    }
    return pieces;
}

std::vector<Piece> PieceSchedule::landing(std::int64_t round) const {
    std::vector<Piece> pieces;
    for (int reader = 0; reader < readers_; ++reader) {
        for (int node = 0; node < nodes_; ++node) {
            if (const auto found = piece(round, node, reader)) {
                pieces.push_back(*found);
            }
        }
    }
    return pieces;
}

std::int64_t PieceSchedule::slot_of(const Piece& piece) const {
    return piece.begin / piece_bytes_ % slots_per_round();
}

std::int64_t PieceSchedule::round_of(const Piece& piece) const {
    return piece.begin / piece_bytes_ / slots_per_round();
}

}  // namespace reelyard::store
