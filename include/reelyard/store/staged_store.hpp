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

/// Called now and then on the ranks that copy, with the bytes that have reached every node.
using StageProgress = std::function<void(std::int64_t done_bytes, std::int64_t total_bytes)>;

/// Copies a store to a folder that each node has for itself, as FINGERPRINT.h5. Collective: of the
/// N nodes that have no sound copy yet each reads 1/N of the file and gets the rest from the
/// others. A copy is whole under its name, or not there; the folder, where there is none, is made
/// for this user alone. \param ranks_per_node see mpi::NodeLayout \throws Error (resources) when a
/// node has no room, naming node and bytes; Error (storage)
StageReport stage_store(const StoreFile& file,
                        const std::filesystem::path& folder,
                        const mpi::Communicator& world,
                        int ranks_per_node,
                        const StageProgress& progress);

/// Whether there are staged copies, and what to tell the user.
struct StagedCopy {
    std::optional<std::filesystem::path> path;
    /// "staged at ...", "no staged copy in ...", "2 of 4 nodes have no sound copy in ..."
    std::string reason;
};

/// The staged copy of a store, if every node has one whose index has the store's checksum and whose
/// size is right, and that this user or root made. Collective. \returns the same on all ranks
[[nodiscard]] StagedCopy find_staged(const StoreFile& file,
                                     const std::filesystem::path& folder,
                                     const mpi::Communicator& world,
                                     int ranks_per_node = 0);

/// Removes the copy of a store from every node, and what a killed program left in the folder.
/// Collective. \returns how many nodes had one \throws Error (storage)
int remove_staged(const StoreFile& file,
                  const std::filesystem::path& folder,
                  const mpi::Communicator& world,
                  int ranks_per_node);

}  // namespace reelyard::store
