#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <mpi.h>

namespace reelyard::mpi {

/// Transfers under way between two ranks, one request per chunk. None outlives this object: its
/// destructor cancels what can be cancelled and waits for the rest.
class Requests {
public:
    Requests(MPI_Comm comm, std::int64_t chunk_bytes) : comm_(comm), chunk_bytes_(chunk_bytes) {}
    Requests(const Requests&) = delete;
    Requests& operator=(const Requests&) = delete;
    ~Requests();

    /// \param data stays untouched and alive until wait() returns
    void send(std::span<const std::byte> data, int target, int tag);
    /// \param data stays alive until wait() returns
    void receive(std::span<std::byte> data, int source, int tag);
    void wait();

private:
    MPI_Comm comm_;
    std::int64_t chunk_bytes_;
    std::vector<MPI_Request> pending_;
};

}  // namespace reelyard::mpi
