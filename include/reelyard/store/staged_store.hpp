#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/store/store_file.hpp"

namespace reelyard::store {

/// What staging did.
struct StageReport {
    std::filesystem::path staged;  ///< the copy, the same path on every node
    bool was_there = false;        ///< every node had a sound copy already; nothing was read
    std::int64_t file_bytes = 0;
    std::int64_t bytes_read = 0;  ///< of the store, by this rank
    int nodes = 1;
    double seconds = 0.0;
};

/// Where copies of stores lie when nothing else is said: a folder of the user's own in /dev/shm.
[[nodiscard]] std::filesystem::path default_stage_folder();

/// Copies a store to a folder that each node has for itself, as FINGERPRINT.h5. Collective: with N
/// nodes, each reads 1/N of the file and gets the rest from the others. A copy is whole under its
/// name, or not there. \param ranks_per_node see mpi::NodeLayout
/// \throws Error (resources) when a node has no room, naming node and bytes; Error (storage)
StageReport stage_store(const StoreFile& file,
                        const std::filesystem::path& folder,
                        const mpi::Communicator& world,
                        int ranks_per_node,
                        const std::function<void(std::int64_t done_bytes, std::int64_t total_bytes)>& progress);

/// The staged copy of a store, if every node has one whose index has the store's checksum and whose
/// size is right. Collective. \returns the same on all ranks; with nothing, `reason` says why
struct StagedCopy {
    std::optional<std::filesystem::path> path;
    std::string reason;  ///< "staged at ...", "no staged copy", "2 of 4 nodes have no staged copy"
};
[[nodiscard]] StagedCopy find_staged(const StoreFile& file,
                                     const std::filesystem::path& folder,
                                     const mpi::Communicator& world);

}  // namespace reelyard::store
