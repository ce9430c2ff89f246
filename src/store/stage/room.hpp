#pragma once

#include <cstdint>
#include <filesystem>

namespace reelyard::store {

/// Bytes that files in `folder` can still take: of the file system, and where that is memory, of
/// what memory is left. \throws Error (storage) when the system does not tell
[[nodiscard]] std::int64_t free_bytes(const std::filesystem::path& folder);

/// Makes `folder`, for this user alone, when it is not there. \throws Error (storage)
void make_private_folder(const std::filesystem::path& folder);

}  // namespace reelyard::store
