#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <mpi.h>

namespace reelyard::mpi {

/// A message that waits to be received.
struct Envelope {
    int source = 0;
    int tag = 0;
    std::int64_t bytes = 0;
};

/// A communicator that this object owns. All calls throw Error (communication). Data may be larger
/// than MPI's counts reach (2^31 bytes): it goes in chunks.
///
/// Collective calls use point-to-point messages inside; whoever probes for any message therefore
/// does so on a duplicate that carries nothing else.
class Communicator {
public:
    /// Takes over `comm` and frees it at the end.
    [[nodiscard]] static Communicator adopt(MPI_Comm comm);

    Communicator(Communicator&& other) noexcept;
    Communicator& operator=(Communicator&& other) noexcept;
    Communicator(const Communicator&) = delete;
    Communicator& operator=(const Communicator&) = delete;
    ~Communicator();

    [[nodiscard]] int rank() const { return rank_; }
    [[nodiscard]] int size() const { return size_; }
    [[nodiscard]] MPI_Comm handle() const { return comm_; }

    /// Largest number of bytes that one MPI call is given; the copies made from this communicator
    /// inherit it. Tests set it low so that small data goes in many chunks. Must be the same on all
    /// ranks.
    void limit_chunks(std::int64_t bytes);
    [[nodiscard]] std::int64_t chunk_bytes() const { return chunk_bytes_; }

    [[nodiscard]] Communicator duplicate() const;
    /// Ranks with the same colour form a group, ordered by key.
    [[nodiscard]] Communicator split(int colour, int key) const;
    /// The numbers that the ranks of this communicator have in `larger`, which holds them all.
    [[nodiscard]] std::vector<int> ranks_in(const Communicator& larger) const;
    /// The ranks that share memory with this one.
    [[nodiscard]] Communicator split_by_node() const;

    void barrier() const;
    /// As barrier(), but leaves the core to others while it waits; for waiting that may be long.
    void patient_barrier() const;
    void broadcast(std::span<std::byte> data, int root) const;
    /// Text of the root on all ranks.
    [[nodiscard]] std::string broadcast_text(std::string text, int root) const;
    /// Every rank's part of `data` on all ranks, in place. Part r is data[offsets[r], offsets[r +
    /// 1]); `offsets` has size() + 1 entries, the same on all ranks.
    void all_gather_in_place(std::span<std::byte> data,
                             std::span<const std::int64_t> offsets) const;
    /// Text of every rank, in rank order, on the root; empty elsewhere.
    [[nodiscard]] std::vector<std::string> gather_texts(const std::string& text, int root) const;
    [[nodiscard]] std::int64_t sum(std::int64_t value) const;
    [[nodiscard]] std::int64_t max(std::int64_t value) const;

    /// \param text at most one chunk (1 GiB) \param tag 0 .. 32766
    void send_text(const std::string& text, int target, int tag) const;
    /// Whether a message is there, without waiting.
    [[nodiscard]] std::optional<Envelope> probe() const;
    /// Waits for a message with `tag` from `source`.
    [[nodiscard]] std::string receive_text(int source, int tag) const;

private:
    explicit Communicator(MPI_Comm comm);
    [[nodiscard]] Communicator inherit(MPI_Comm comm) const;

    MPI_Comm comm_ = MPI_COMM_NULL;
    std::int64_t chunk_bytes_ = std::int64_t{1} << 30;
    int rank_ = 0;
    int size_ = 1;
};

}  // namespace reelyard::mpi
