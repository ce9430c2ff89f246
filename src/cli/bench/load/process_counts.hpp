#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace reelyard::cli {

/// Resident memory of this process, as the operating system counts it.
struct ResidentMemory {
    std::int64_t bytes = 0;       ///< now
    std::int64_t peak_bytes = 0;  ///< since forget_peak(), or the start
};

/// \throws Error (storage) when the system does not tell
[[nodiscard]] ResidentMemory resident_memory();

/// Resident memory in which a page that n processes share counts 1/n, without programs and
/// libraries: these are shared with whatever else runs. Takes a while: the system looks at every
/// page. \throws Error (storage) when the system does not tell
[[nodiscard]] std::int64_t proportional_memory();

/// From here on the peak counts anew.
void forget_peak();

/// Bytes that this process made the storage deliver since it started, as the operating system
/// counted them: what came from the page cache is not among them.
[[nodiscard]] std::int64_t storage_bytes_read();

/// Bytes that the block device under a file delivered since this node started, to whomever. Nothing
/// where the file is on no such device, but on a network or parallel file system, for example.
[[nodiscard]] std::optional<std::int64_t> device_bytes_read(const std::filesystem::path& file);

/// Seconds since this process started, to a hundredth.
[[nodiscard]] double seconds_since_start();

}  // namespace reelyard::cli
