#include "stage/stage_plan.hpp"

#include <algorithm>
#include <utility>

#include "memory/page.hpp"

namespace reelyard::store {
namespace {

// Pieces of a round that a rank reads or receives, so that agreeing costs nothing beside them.
constexpr std::int64_t pieces_per_round = 32;
constexpr std::int64_t least_own_pieces_per_round = 4;

std::int64_t divide_up(std::int64_t value, std::int64_t by) {
    return (value + by - 1) / by;
}

}  // namespace

StagePlan::StagePlan(std::int64_t file_bytes, std::vector<int> ranks, std::int64_t largest_piece)
    : file_bytes_(file_bytes)
    , ranks_(std::move(ranks)) {
    const auto nodes = static_cast<std::int64_t>(ranks_.size());
    const std::int64_t most_ranks = *std::max_element(ranks_.begin(), ranks_.end());
    // As many pieces for each rank of a node: with small files small ones.
    steps_ = align_up(divide_up(std::max<std::int64_t>(file_bytes_, 1), nodes * largest_piece),
                      most_ranks);
    piece_bytes_ = align_up(divide_up(file_bytes_, nodes * steps_), page);
}

std::int64_t StagePlan::steps_per_round() const {
    const auto nodes = static_cast<std::int64_t>(ranks_.size());
    const std::int64_t most_ranks = *std::max_element(ranks_.begin(), ranks_.end());
    return most_ranks * std::max(pieces_per_round / nodes, least_own_pieces_per_round);
}

Interval StagePlan::piece(int node, std::int64_t step) const {
    const auto nodes = static_cast<std::int64_t>(ranks_.size());
    const std::int64_t begin = std::min((step * nodes + node) * piece_bytes_, file_bytes_);
    return {.begin = begin, .end = std::min(begin + piece_bytes_, file_bytes_)};
}

int StagePlan::rank_of(int node, std::int64_t step) const {
    return static_cast<int>(step % ranks_[static_cast<std::size_t>(node)]);
}

}  // namespace reelyard::store
