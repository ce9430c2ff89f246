#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/store/store_index.hpp"

namespace reelyard::store {

/// Checksums of the parts of tensors that this rank reads, and what they say together with those of
/// all ranks: a tensor is checked however it was cut. May be added to from several threads.
class TensorSums {
public:
    /// \param component outlives this object
    explicit TensorSums(const StoredComponent& component) : component_(component) {}

    /// \param from where `stored` begins in the tensor's bytes
    void add(const StoredTensor& tensor, std::int64_t from, std::span<const std::byte> stored);

    /// Collective. Tensors of which not every byte was read by some rank, and those that the store
    /// has no such checksum of, are passed over. \param place the store's path, for messages
    /// \throws Error (input) on all ranks, naming the tensors that differ
    void check(const mpi::Communicator& world, const std::string& place) const;

private:
    const StoredComponent& component_;
    std::mutex mutex_;
    std::vector<std::int64_t>
        records_;  ///< number of the tensor, begin, bytes, checksum; and again
};

}  // namespace reelyard::store
