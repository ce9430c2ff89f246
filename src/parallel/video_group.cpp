#include "reelyard/parallel/video_group.hpp"

#include <string>
#include <utility>
#include <vector>

#include "reelyard/base/format.hpp"
#include "reelyard/parallel/backend_registry.hpp"

namespace reelyard::parallel {
namespace {

std::unique_ptr<TensorComm> alone(const std::string& name) {
    return std::make_unique<TensorComm>(name, nullptr, 0.0);
}

/// How the groups of a rank are made.
struct Maker {
    const ProcessGrid& grid;
    double timeout;
    c10::Device device;

    [[nodiscard]] std::unique_ptr<TensorComm> over(const std::string& name,
                                                   mpi::Communicator ranks) const {
        if (ranks.size() == 1) {
            return alone(name);
        }
        std::string full_name =
            fmt::format("{} group of replica {}", name, grid.position().replica);
        std::vector<int> members = ranks.ranks_in(grid.world());
        auto backend = make_backend(std::move(ranks), {.device = device, .timeout = timeout});
        return std::make_unique<TensorComm>(
            std::move(full_name), std::move(backend), timeout, std::move(members));
    }
};

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

VideoGroup make_video_group(const ProcessGrid& grid, double timeout, c10::Device device) {
    const Maker make{.grid = grid, .timeout = timeout, .device = device};
    return {.tensor = make.over("tensor", grid.tensor_group()),
            .ulysses = make.over("ulysses", grid.ulysses_group()),
            .ring = make.over("ring", grid.ring_group()),
            .sequence = make.over("sequence", grid.sequence_group()),
            .cfg = make.over("cfg", grid.cfg_group()),
            .shards = grid.layout().shard_weights ? make.over("shards", grid.same_weights_group())
                                                  : alone("shards"),
            .replica = make.over("video", grid.replica_group())};
}

}  // namespace reelyard::parallel
