#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

namespace reelyard::cli {

/// Asks the kernel to forget what it keeps of a file, after writing back what is not on the disk
/// yet. Whether it did tells resident_fraction().
/// \throws Error (input) when the file cannot be opened, (storage) when it cannot be written back
void drop_from_page_cache(const std::filesystem::path& file);

/// How much of a file this node has in its page cache, 0 to 1. Nothing where the kernel does not
/// tell: to who neither owns the file nor may write to it.
[[nodiscard]] std::optional<double> resident_fraction(const std::filesystem::path& file);

}  // namespace reelyard::cli
