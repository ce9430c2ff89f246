#pragma once

#include <functional>
#include <vector>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/spec/parallel_layout.hpp"
#include "reelyard/spec/shard.hpp"

namespace reelyard::parallel {

/// The ranks of a job laid out as a grid.
class ProcessGrid {
public:
    /// \param placement the rank at each place of the layout; empty: places and ranks have the same
    /// numbers. Ranks that are at no place are spare. The same on all ranks.
    /// \throws Error (usage) when the job has fewer ranks than the layout
    ProcessGrid(const mpi::Communicator& world,
                const ParallelLayout& layout,
                const std::vector<int>& placement = {});

    [[nodiscard]] const mpi::Communicator& world() const { return *world_; }
    [[nodiscard]] const ParallelLayout& layout() const { return layout_; }
    /// Whether this rank has no place; position() is then that of no rank.
    [[nodiscard]] bool is_spare() const { return place_ < 0; }
    [[nodiscard]] const GridPosition& position() const { return position_; }

    /// What this rank loads: its slice of split weights, and its part of each block's. A spare rank
    /// loads what the first one does, since all ranks load together.
    [[nodiscard]] Shard slice() const {
        return {.degree = layout_.tensor, .index = position_.tensor};
    }
    [[nodiscard]] Shard block_part() const;

    /// Ranks that differ from this one in one degree only, in its order; a spare rank is alone.
    /// Collective over all ranks.
    [[nodiscard]] mpi::Communicator tensor_group() const;
    [[nodiscard]] mpi::Communicator ulysses_group() const;
    [[nodiscard]] mpi::Communicator ring_group() const;
    [[nodiscard]] mpi::Communicator cfg_group() const;
    /// Ring and Ulysses together. Collective over all ranks.
    [[nodiscard]] mpi::Communicator sequence_group() const;
    /// Ranks of a video that hold the same slice of each layer: cfg, ring and Ulysses together.
    /// Collective over all ranks.
    [[nodiscard]] mpi::Communicator same_weights_group() const;
    /// All ranks that make one video together; the spare ones form a group, too. Collective over
    /// all ranks.
    [[nodiscard]] mpi::Communicator replica_group() const;

private:
    /// \param without changes a position to that of the group's first rank
    [[nodiscard]] mpi::Communicator group(
        const std::function<void(GridPosition& position)>& without) const;

    const mpi::Communicator* world_;
    ParallelLayout layout_;
    int place_ = -1;
    GridPosition position_;
};

}  // namespace reelyard::parallel
