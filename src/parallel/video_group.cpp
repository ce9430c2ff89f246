#include "reelyard/parallel/video_group.hpp"

#include <string>
#include <utility>

#include "reelyard/base/format.hpp"
#include "reelyard/parallel/mpi_backend.hpp"

namespace reelyard::parallel {
namespace {

std::unique_ptr<TensorComm> alone(const std::string& name) {
    return std::make_unique<TensorComm>(name, nullptr, 0.0);
}

std::unique_ptr<TensorComm> over(const std::string& name,
                                 mpi::Communicator ranks,
                                 const ProcessGrid& grid,
                                 double timeout) {
    if (ranks.size() == 1) {
        return alone(name);
    }
    std::string full_name = fmt::format("{} group of replica {}", name, grid.position().replica);
    return std::make_unique<TensorComm>(
        std::move(full_name), make_mpi_backend(std::move(ranks)), timeout);
}

}  // namespace

VideoGroup make_single_rank_group() {
    return {.tensor = alone("tensor"),
            .ulysses = alone("ulysses"),
            .ring = alone("ring"),
            .sequence = alone("sequence"),
            .cfg = alone("cfg"),
            .shards = alone("shards"),
            .replica = alone("replica")};
}

VideoGroup make_video_group(const ProcessGrid& grid, double timeout) {
    return {.tensor = over("tensor", grid.tensor_group(), grid, timeout),
            .ulysses = over("ulysses", grid.ulysses_group(), grid, timeout),
            .ring = over("ring", grid.ring_group(), grid, timeout),
            .sequence = over("sequence", grid.sequence_group(), grid, timeout),
            .cfg = over("cfg", grid.cfg_group(), grid, timeout),
            .shards = grid.layout().shard_weights
                          ? over("shards", grid.same_weights_group(), grid, timeout)
                          : alone("shards"),
            .replica = over("video", grid.replica_group(), grid, timeout)};
}

}  // namespace reelyard::parallel
