#pragma once

#include <cstdint>
#include <span>

#include "reelyard/mpi/communicator.hpp"

namespace reelyard::cli {

/// Resident memory of this process, as the operating system counts it.
struct ResidentMemory {
    std::int64_t bytes = 0;       ///< now
    std::int64_t peak_bytes = 0;  ///< since forget_peak(), or the start
};

/// \throws Error (storage) when the system does not tell
[[nodiscard]] ResidentMemory resident_memory();

/// Resident memory in which a page that n processes share counts 1/n. Takes a while: the system
/// looks at every page. \throws Error (storage) when the system does not tell
[[nodiscard]] std::int64_t proportional_memory();

/// From here on the peak counts anew.
void forget_peak();

/// Bytes that this process made the storage deliver since it started, as the operating system
/// counted them: what came from the page cache is not among them.
[[nodiscard]] std::int64_t storage_bytes_read();

/// Memory of this process, obtained from the system and given back by the destructor; starts on a
/// page, and is in huge pages where the system has them. Every page has been written to.
class TouchedMemory {
public:
    /// \throws Error (resources) when the system has no such memory
    explicit TouchedMemory(std::int64_t bytes);
    TouchedMemory(const TouchedMemory&) = delete;
    TouchedMemory& operator=(const TouchedMemory&) = delete;
    ~TouchedMemory();

    [[nodiscard]] std::span<std::byte> bytes() const { return {data_, size_}; }

private:
    std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Touches memory on all ranks at once and frees it, so that what follows finds pages that the
/// machine has handed out already. Collective. \param bytes of this rank
void touch_memory(std::int64_t bytes, const mpi::Communicator& world);

/// Reads one byte of every page of `memory`.
void read_every_page(std::span<const std::byte> memory);

}  // namespace reelyard::cli
