#include "reelyard/parallel/video_group.hpp"

#include <string>
#include <utility>
#include <vector>

#include "reelyard/base/format.hpp"
#include "reelyard/parallel/backend_registry.hpp"

namespace reelyard::parallel {
namespace {

std::unique_ptr<TensorComm> alone(const std::string& name, trace::Recorder* recorder = nullptr) {
    return std::make_unique<TensorComm>(name, nullptr, 0.0, std::vector<int>{}, recorder);
}

/// How the groups of a rank are made.
struct Maker {
    const ProcessGrid& grid;
    double timeout;
    c10::Device device;
    trace::Recorder* recorder;

    [[nodiscard]] std::unique_ptr<TensorComm> over(const std::string& name,
                                                   mpi::Communicator ranks) const {
        if (ranks.size() == 1) {
            return alone(name, recorder);
        }
        std::string full_name =
            grid.is_spare() ? name + " group of the spare ranks"
                            : fmt::format("{} group of replica {}", name, grid.position().replica);
        std::vector<int> members = ranks.ranks_in(grid.world());
        auto backend = make_backend(std::move(ranks), {.device = device, .timeout = timeout});
        return std::make_unique<TensorComm>(
            std::move(full_name), std::move(backend), timeout, std::move(members), recorder);
    }
};

}  // namespace

std::int64_t VideoGroup::received_bytes() const {
    std::int64_t bytes = 0;
    for (const auto* ranks : {&tensor, &ulysses, &ring, &sequence, &cfg, &shards, &replica}) {
        for (const auto& [operation, volume] : (*ranks)->volumes()) {
            bytes += volume.bytes;
        }
    }
    return bytes;
}

VideoGroup make_single_rank_group() {
    VideoGroup group;
    group.tensor = alone("tensor");
    group.ulysses = alone("ulysses");
    group.ring = alone("ring");
    group.sequence = alone("sequence");
    group.cfg = alone("cfg");
    group.shards = alone("shards");
    group.replica = alone("replica");
    return group;
}

VideoGroup make_video_group(const ProcessGrid& grid,
                            double timeout,
                            c10::Device device,
                            trace::Recorder* recorder) {
    const Maker make{.grid = grid, .timeout = timeout, .device = device, .recorder = recorder};
    const bool shares_weights = grid.layout().shard_weights;
    VideoGroup group;
    group.tensor = make.over("tensor", grid.tensor_group());
    group.ulysses = make.over("ulysses", grid.ulysses_group());
    group.ring = make.over("ring", grid.ring_group());
    group.sequence = make.over("sequence", grid.sequence_group());
    group.cfg = make.over("cfg", grid.cfg_group());
    group.shards =
        shares_weights ? make.over("shards", grid.same_weights_group()) : alone("shards", recorder);
    group.replica = make.over("video", grid.replica_group());
    return group;
}

}  // namespace reelyard::parallel
