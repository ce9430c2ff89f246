#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "reelyard/spec/checkpoint_config.hpp"
#include "reelyard/store/store_index.hpp"

namespace reelyard::store {

/// Makes a store with the embedded files and a place for each slab, but no weights and no index.
/// \returns where in the file the slabs begin, in the order of the index
[[nodiscard]] std::vector<std::int64_t> create_store(const std::filesystem::path& path,
                                                     const StoreIndex& index,
                                                     const CheckpointConfig& config);

/// Adds the index, which makes the store complete.
void finish_store(const std::filesystem::path& path, const StoreIndex& index);

}  // namespace reelyard::store
