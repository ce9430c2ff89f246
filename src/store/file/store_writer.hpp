#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "reelyard/spec/checkpoint_config.hpp"
#include "reelyard/store/store_index.hpp"

namespace reelyard::store {

/// Where the parts of a store lie in its file.
struct StorePlaces {
    std::vector<std::int64_t> slabs;  ///< in the order of the index
    std::vector<std::int64_t> files;  ///< in the order of the index
    std::int64_t index = 0;
    std::int64_t index_checksum = 0;
};

/// Refuses what can be seen to fail before anything is written.
/// \param output the name that the store will get
/// \throws Error (usage) when it cannot be written there, (resources) when there is no room
void expect_writable(const std::filesystem::path& output, const StoreIndex& index);

/// Makes a store whose parts have their places but no content yet. HDF5 does nothing else: all
/// content is written straight to its place, where a full disk is an ordinary error (HDF5 crashes
/// at the end of the program when it could not write what it had buffered).
/// \param index complete but for checksums, which do not change its size
[[nodiscard]] StorePlaces create_store(const std::filesystem::path& path, const StoreIndex& index);

/// Writes the embedded files, and the index with its checksum, which completes the store.
void finish_store(const std::filesystem::path& path,
                  const StorePlaces& places,
                  const StoreIndex& index,
                  const CheckpointConfig& config);

}  // namespace reelyard::store
