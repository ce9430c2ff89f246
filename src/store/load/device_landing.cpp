#include <algorithm>
#include <utility>

#include <ATen/ATen.h>

#include "reelyard/device/device.hpp"
#include "reelyard/device/pinned_memory.hpp"

#include "load/landing.hpp"
#include "memory/host_buffer.hpp"

namespace reelyard::store {
namespace {

// A slot is free for another round when all ranks of the node have copied what was in it: they say
// so one round after it landed.
constexpr std::int64_t slot_rounds = lookahead_rounds + 2;

class DeviceLanding final : public Landing {
public:
    DeviceLanding(std::int64_t bytes,
                  const PieceSchedule& schedule,
                  const mpi::NodeLayout& nodes,
                  c10::Device device)
        : schedule_(schedule)
        , nodes_(nodes)
        , slots_(make_slots(schedule, nodes))
        , pinned_(slots_.part(0, slots_.size()), device)
        , weights_(at::empty({bytes}, at::TensorOptions(at::kByte).device(device))) {}

    std::span<std::byte> place(const Piece& piece) override {
        const std::int64_t round = schedule_.round_of(piece) % slot_rounds;
        const std::int64_t slot = round * schedule_.slots_per_round() + schedule_.slot_of(piece);
        return slots_.part(slot * schedule_.piece_bytes(), piece.end - piece.begin);
    }

    void landed(std::int64_t round) override {
        // All ranks of the node have their pieces of this round in the slots, and are through with
        // those of the round before.
        device::synchronize(weights_.device());
        nodes_.node().patient_barrier();
        for (const Piece& piece : schedule_.landing(round)) {
            const std::int64_t bytes = piece.end - piece.begin;
            const at::Tensor slot =
                at::from_blob(place(piece).data(), {bytes}, at::TensorOptions(at::kByte));
            weights_.narrow(0, piece.begin, bytes).copy_(slot, /*non_blocking=*/true);
        }
    }

    at::Tensor finish() override {
        device::synchronize(weights_.device());
        nodes_.node().patient_barrier();
        return weights_;
    }

    [[nodiscard]] const std::string& small_pages_reason() const override {
        return slots_.small_pages_reason();
    }

private:
    static HostBuffer make_slots(const PieceSchedule& schedule, const mpi::NodeLayout& nodes) {
        const std::int64_t rounds = std::min(schedule.rounds(), slot_rounds);
        const std::int64_t bytes = rounds * schedule.slots_per_round() * schedule.piece_bytes();
        return nodes.node().size() > 1 ? HostBuffer::shared(bytes, nodes.node())
                                       : HostBuffer(bytes);
    }

    const PieceSchedule& schedule_;
    const mpi::NodeLayout& nodes_;
    HostBuffer slots_;
    device::PinnedMemory pinned_;
    at::Tensor weights_;
};

}  // namespace

std::unique_ptr<Landing> make_device_landing(std::int64_t bytes,
                                             const PieceSchedule& schedule,
                                             const mpi::NodeLayout& nodes,
                                             c10::Device device) {
    return std::make_unique<DeviceLanding>(bytes, schedule, nodes, device);
}

}  // namespace reelyard::store
