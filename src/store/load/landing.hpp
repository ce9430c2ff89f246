#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <ATen/core/Tensor.h>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/mpi/node_layout.hpp"
#include "reelyard/store/weight_loader.hpp"

#include "load/piece_schedule.hpp"

namespace reelyard::store {

/// Where the pieces of a segment land, and how they get from there to where the weights stay.
class Landing {
public:
    Landing() = default;
    Landing(const Landing&) = delete;
    Landing& operator=(const Landing&) = delete;
    virtual ~Landing() = default;

    /// The memory that a piece is read or received into. It may be written to as soon as the oldest
    /// round that has not landed is no more than lookahead_rounds before the piece's own.
    [[nodiscard]] virtual std::span<std::byte> place(const Piece& piece) = 0;
    /// Called when this rank's pieces of a round are in place. Collective over the node, in the
    /// order of the rounds.
    virtual void landed(std::int64_t round) = 0;
    /// After the last round, collective over the node. \returns uint8 [bytes of the segment] where
    /// the weights stay; keeps the memory alive
    [[nodiscard]] virtual at::Tensor finish() = 0;
    /// As HostBuffer says it of the memory that the node shares.
    [[nodiscard]] virtual const std::string& small_pages_reason() const = 0;
};

/// How many rounds after the oldest that has not landed a read may be started.
inline constexpr std::int64_t lookahead_rounds = 6;

/// Weights stay in host memory: one copy for a node, or one a rank.
/// \param nodes outlives the landing \throws Error (resources) on all ranks of a node
[[nodiscard]] std::unique_ptr<Landing> make_host_landing(std::int64_t bytes,
                                                         const mpi::NodeLayout& nodes);

/// Weights go to `device` through memory that the ranks of a node share; each rank has its own
/// copy on its device. A read of one piece overlaps with the copying of others.
/// \param schedule, nodes outlive the landing \throws Error (resources) on all ranks of a node
[[nodiscard]] std::unique_ptr<Landing> make_device_landing(std::int64_t bytes,
                                                           const PieceSchedule& schedule,
                                                           const mpi::NodeLayout& nodes,
                                                           c10::Device device);

}  // namespace reelyard::store
