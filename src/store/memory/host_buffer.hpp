#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "reelyard/mpi/communicator.hpp"

namespace reelyard::store {

/// Uninitialised memory that starts on a page, in huge pages where the system gives them: a page
/// costs nothing before it is written to, and fresh small pages cost as much as reading the disk.
class HostBuffer {
public:
    /// Memory of this rank alone.
    /// \throws Error (resources) when the system has no such memory
    explicit HostBuffer(std::int64_t bytes);

    /// The same memory for all ranks of a node. Collective over `node`; giving it back is not: each
    /// rank does so when it likes, and the last one frees it. Nothing is left behind by a rank that
    /// is killed. \throws Error (resources) on all ranks of the node when there is no room for it
    [[nodiscard]] static HostBuffer shared(std::int64_t bytes, const mpi::Communicator& node);

    HostBuffer(HostBuffer&& other) noexcept;
    HostBuffer& operator=(HostBuffer&& other) noexcept;
    HostBuffer(const HostBuffer&) = delete;
    HostBuffer& operator=(const HostBuffer&) = delete;
    ~HostBuffer();

    [[nodiscard]] std::byte* data() const { return data_; }
    [[nodiscard]] std::int64_t size() const { return bytes_; }
    /// Why shared memory is in small pages where huge ones would have paid; empty: it is not.
    [[nodiscard]] const std::string& small_pages_reason() const { return small_pages_reason_; }
    [[nodiscard]] std::span<std::byte> part(std::int64_t begin, std::int64_t bytes) const {
        return {data_ + begin, static_cast<std::size_t>(bytes)};
    }

private:
    HostBuffer() = default;

    std::byte* data_ = nullptr;
    std::int64_t bytes_ = 0;
    std::string small_pages_reason_;
};

/// Makes the pages of `memory` present, so that writing to them cannot fail: without it, a full
/// /dev/shm kills the process. \throws Error (resources)
void populate(std::span<std::byte> memory);

}  // namespace reelyard::store
