#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace reelyard::store {

/// Uninitialised memory that starts on a page, in huge pages where the system gives them: a page
/// costs nothing before it is written to, and fresh small pages cost as much as reading the disk.
class HostBuffer {
public:
    /// \throws Error (resources) when the system has no such memory
    explicit HostBuffer(std::int64_t bytes);
    HostBuffer(const HostBuffer&) = delete;
    HostBuffer& operator=(const HostBuffer&) = delete;
    ~HostBuffer();

    [[nodiscard]] std::byte* data() const { return data_; }
    [[nodiscard]] std::int64_t size() const { return bytes_; }
    [[nodiscard]] std::span<std::byte> part(std::int64_t begin, std::int64_t bytes) const {
        return {data_ + begin, static_cast<std::size_t>(bytes)};
    }

    /// Gives the whole pages of [0, end) back to the system; their content is lost.
    void discard_until(std::int64_t end);

private:
    std::byte* data_ = nullptr;
    std::int64_t bytes_ = 0;
    std::int64_t discarded_ = 0;
};

}  // namespace reelyard::store
