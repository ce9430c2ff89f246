#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <mpi.h>

#include "reelyard/mpi/communicator.hpp"

namespace reelyard::mpi {

/// Transfers under way between ranks. Data larger than one chunk of the communicator goes as
/// several messages. None outlives this object: its destructor cancels what can be cancelled and
/// waits for the rest.
class Requests {
public:
    /// \param ranks whose numbers sender and receiver are; outlives this object
    explicit Requests(const Communicator& ranks) : ranks_(&ranks) {}
    Requests(const Requests&) = delete;
    Requests& operator=(const Requests&) = delete;
    ~Requests();

    /// \param data stays untouched and alive until all is through
    void send(std::span<const std::byte> data, int target, int tag);
    /// \param data stays alive until all is through
    void receive(std::span<std::byte> data, int source, int tag);
    void wait();
    /// As wait(), but leaves the core to others while it waits.
    void wait_patiently();
    /// Moves the transfers on without waiting. \returns whether all are through
    bool test();
    /// The ranks that transfers to or from are not through, ascending.
    [[nodiscard]] std::vector<int> unfinished();

private:
    void clear();

    const Communicator* ranks_;
    std::vector<MPI_Request> pending_;
    std::vector<int> peers_;  ///< of the transfers that are pending
};

}  // namespace reelyard::mpi
