#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "reelyard/mpi/communicator.hpp"

namespace reelyard::cli {

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
