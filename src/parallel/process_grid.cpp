#include "reelyard/parallel/process_grid.hpp"

#include <algorithm>

#include "reelyard/base/error.hpp"

namespace reelyard::parallel {

ProcessGrid::ProcessGrid(const mpi::Communicator& world,
                         const ParallelLayout& layout,
                         const std::vector<int>& placement)
    : world_(&world)
    , layout_(layout) {
    require(layout.used_ranks() <= world.size(),
            ErrorKind::usage,
            "parallel: {} needs {} ranks (started: {})",
            to_string(layout),
            layout.used_ranks(),
            world.size());
    REELYARD_EXPECT(placement.empty() || static_cast<int>(placement.size()) >= layout.used_ranks());
    for (int place = 0; place < layout.used_ranks(); ++place) {
        const int rank = placement.empty() ? place : placement[static_cast<std::size_t>(place)];
        if (rank == world.rank()) {
            place_ = place;
            position_ = position_of(place, layout);
        }
    }
}

Shard ProcessGrid::block_part() const {
    if (!layout_.shard_weights) {
        return {};
    }
    const int sequence = position_.cfg * layout_.ring + position_.ring;
    return {.degree = layout_.same_weights_size(),
            .index = sequence * layout_.ulysses + position_.ulysses};
}

mpi::Communicator ProcessGrid::group(
    const std::function<void(GridPosition& position)>& without) const {
    if (is_spare()) {
        return world_->split(layout_.used_ranks() + world_->rank(), 0);
    }
    GridPosition first = position_;
    without(first);
    return world_->split(place_of(first, layout_), place_);
}

mpi::Communicator ProcessGrid::tensor_group() const {
    return group([](GridPosition& position) { position.tensor = 0; });
}

mpi::Communicator ProcessGrid::ulysses_group() const {
    return group([](GridPosition& position) { position.ulysses = 0; });
}

mpi::Communicator ProcessGrid::ring_group() const {
    return group([](GridPosition& position) { position.ring = 0; });
}

mpi::Communicator ProcessGrid::cfg_group() const {
    return group([](GridPosition& position) { position.cfg = 0; });
}

mpi::Communicator ProcessGrid::sequence_group() const {
    return group([](GridPosition& position) {
        position.ring = 0;
        position.ulysses = 0;
    });
}

mpi::Communicator ProcessGrid::same_weights_group() const {
    return group([](GridPosition& position) {
        position = {.replica = position.replica, .tensor = position.tensor};
    });
}

mpi::Communicator ProcessGrid::replica_group() const {
    if (is_spare()) {
        return world_->split(layout_.used_ranks(), world_->rank());
    }
    return group([](GridPosition& position) { position = {.replica = position.replica}; });
}

}  // namespace reelyard::parallel
