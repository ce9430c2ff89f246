#pragma once

#include <cstdint>
#include <vector>

#include "reelyard/base/bytes.hpp"
#include "reelyard/spec/shard.hpp"

namespace reelyard::store {

/// Which part of a file each node reads, and each rank of it. The file is cut into equal pieces
/// that are dealt to the nodes in turn: step k of the plan is one piece for each node. In every
/// node the same rank (k modulo its ranks) reads that node's piece of step k and takes those of the
/// others, so that a piece goes from one rank of its node to one of each other.
class StagePlan {
public:
    /// \param ranks of each node
    StagePlan(std::int64_t file_bytes,
              std::vector<int> ranks,
              std::int64_t largest_piece = 16 * mebibyte);

    [[nodiscard]] std::int64_t steps() const { return steps_; }
    [[nodiscard]] std::int64_t piece_bytes() const { return piece_bytes_; }
    /// Steps after which all ranks agree that nobody failed.
    [[nodiscard]] std::int64_t steps_per_round() const;
    /// Where in the file a piece lies; empty behind the end.
    [[nodiscard]] Interval piece(int node, std::int64_t step) const;
    /// Which rank of a node has to do with a step.
    [[nodiscard]] int rank_of(int node, std::int64_t step) const;

private:
    std::int64_t file_bytes_;
    std::vector<int> ranks_;
    std::int64_t steps_;
    std::int64_t piece_bytes_;
};

}  // namespace reelyard::store
