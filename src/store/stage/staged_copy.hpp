#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/store/store_file.hpp"

namespace reelyard::store {

/// Where a folder has the copy of a store.
[[nodiscard]] std::filesystem::path staged_path(const StoreFile& file,
                                                const std::filesystem::path& folder);

/// The size of a store, as rank 0 sees it. Collective.
[[nodiscard]] std::int64_t file_bytes_of(const StoreFile& file, const mpi::Communicator& world);

/// Why `path` is no copy of the store that this user can trust: "no staged copy", "the staged copy
/// has 4096 bytes (expected 8192)" ...; empty when it is one. The weights in it are not read.
/// \param file_bytes of the store \param alone a communicator of one rank
[[nodiscard]] std::string flaw_of_copy(const std::filesystem::path& path,
                                       const StoreFile& file,
                                       std::int64_t file_bytes,
                                       const mpi::Communicator& alone);

/// The same of the copy on this rank's node, found out by its first rank. Collective over the node.
[[nodiscard]] std::string flaw_on_node(const std::filesystem::path& path,
                                       const StoreFile& file,
                                       std::int64_t file_bytes,
                                       const mpi::Communicator& node);

}  // namespace reelyard::store
