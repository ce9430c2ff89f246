#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/mpi/node_layout.hpp"
#include "reelyard/mpi/requests.hpp"
#include "reelyard/store/transport/transport.hpp"

#include "load/landing.hpp"
#include "load/load_plan.hpp"
#include "load/piece_schedule.hpp"
#include "load/tensor_sums.hpp"
#include "memory/host_buffer.hpp"

namespace reelyard::store {

/// One segment on its way from the store to the memory of the ranks that need it. Rounds are read,
/// have arrived, and settle, each in ascending order; a read is started at most lookahead_rounds
/// after the oldest round that has not settled.
class Lane {
public:
    struct Ranks {
        mpi::Communicator group;  ///< who needs the segment
        mpi::NodeLayout nodes;    ///< of the group
    };
    struct Choice {
        c10::Device device;
        bool is_staged;  ///< weights pass through slots to the device
        std::int64_t piece_bytes;
    };

    /// Collective over the group. \param segment outlives the lane \param sums null: no checksums
    /// \throws Error (resources), on all ranks of a node
    Lane(const Segment& segment, Ranks ranks, const Choice& choice, TensorSums* sums);

    [[nodiscard]] std::int64_t rounds() const { return schedule_.rounds(); }
    /// Makes everything ready for a round to be received. \returns what this rank reads
    [[nodiscard]] ReadTask read(std::int64_t round);
    /// This rank's read of the round is done: sends it to the other nodes.
    void arrived(std::int64_t round);
    /// Waits for what the other nodes send of the round; collective over the group.
    void settle(std::int64_t round);
    /// Moves transfers on while there is nothing else to do.
    void progress();
    /// After the last round; collective over the node. \returns uint8 [bytes of the segment]
    [[nodiscard]] at::Tensor finish() { return landing_->finish(); }

    /// Whether other ranks of the node have the same memory.
    [[nodiscard]] bool shares_memory() const { return ranks_.nodes.node().size() > 1; }
    /// Bytes of the segment on the first of the ranks that share its memory, 0 on the others.
    [[nodiscard]] std::int64_t accounted_bytes() const {
        return ranks_.nodes.node().rank() == 0 ? segment_.bytes : 0;
    }
    [[nodiscard]] const std::string& small_pages_reason() const {
        return landing_->small_pages_reason();
    }
    [[nodiscard]] bool is_first_rank() const { return ranks_.group.rank() == 0; }
    [[nodiscard]] std::int64_t bytes_received() const { return bytes_received_; }

private:
    /// A part that is not read to where it stays, because it is converted on the way.
    struct Staged {
        Part part;
        std::span<std::byte> raw;
        std::span<std::byte> final;
    };

    ReadTask read_into(std::span<std::byte> place, const Piece& piece, std::int64_t round);

    const Segment& segment_;
    Ranks ranks_;
    PieceSchedule schedule_;
    std::unique_ptr<Landing> landing_;
    TensorSums* sums_;
    std::vector<HostBuffer> staging_;      ///< one for each round that may be under way
    std::deque<mpi::Requests> transfers_;  ///< of the rounds from first_transfer_ on
    std::int64_t first_transfer_ = 0;
    std::int64_t bytes_received_ = 0;
};

}  // namespace reelyard::store
