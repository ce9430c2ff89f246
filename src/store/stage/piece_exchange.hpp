#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <functional>
#include <optional>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/communicator.hpp"
#include "reelyard/mpi/node_layout.hpp"
#include "reelyard/mpi/requests.hpp"
#include "reelyard/store/transport/direct_reader.hpp"

#include "file/byte_file.hpp"
#include "memory/host_buffer.hpp"
#include "stage/stage_plan.hpp"

namespace reelyard::store {

/// One rank's part in copying a file to every node: it reads pieces, sends them to the other nodes,
/// and writes them and what it gets from there into the copy of its node. Reading, writing and
/// sending overlap; memory is bounded.
class PieceExchange {
public:
    /// \param ranks that take part, and \param layout how they lie on nodes; outlive this object
    /// \param target the copy of this node, which exists
    PieceExchange(const StagePlan& plan,
                  const mpi::Communicator& ranks,
                  const mpi::NodeLayout& layout,
                  const std::filesystem::path& source,
                  const std::filesystem::path& target);

    /// Goes on until all pieces of the steps before `end` have gone everywhere. All ranks call it
    /// with the same value. \returns this rank's failure: the other ranks got something in any
    /// case, so that none waits
    [[nodiscard]] std::optional<Error> run_until(std::int64_t end);

    [[nodiscard]] std::int64_t bytes_read() const { return bytes_read_; }
    [[nodiscard]] std::int64_t bytes_written() const { return bytes_written_; }

private:
    /// A piece on its way: from the file to the other nodes, or from one of them to the file here.
    struct Slot {
        Slot(std::int64_t bytes, const mpi::Communicator& ranks)
            : memory(bytes)
            , transfers(ranks) {}
        HostBuffer memory;
        mpi::Requests transfers;
    };

    /// What comes as a rank's n-th piece from another node.
    struct Arrival {
        int source;
        Interval piece;
    };

    void read_ahead();
    void pass_on();
    void receive_ahead();
    void take_next();
    void move_transfers();
    void guarded(const std::function<void()>& body);
    [[nodiscard]] std::int64_t own_steps() const;
    [[nodiscard]] std::int64_t step_of(std::int64_t own_step) const;
    [[nodiscard]] std::int64_t other_nodes() const { return layout_->nodes() - 1; }
    [[nodiscard]] Arrival arrival(std::int64_t number) const;

    StagePlan plan_;
    const mpi::Communicator* ranks_;
    const mpi::NodeLayout* layout_;
    ByteFile target_;
    std::deque<Slot> outgoing_;
    std::deque<Slot> incoming_;
    DirectReader reader_;  // after the memory that it reads into
    std::optional<Error> failure_;
    // Counted over this rank's own steps, and over all that it receives.
    std::int64_t reads_started_ = 0;
    std::int64_t passed_on_ = 0;
    std::int64_t receives_started_ = 0;
    std::int64_t taken_ = 0;
    std::int64_t bytes_read_ = 0;
    std::int64_t bytes_written_ = 0;
};

}  // namespace reelyard::store
