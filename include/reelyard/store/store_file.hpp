#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/spec/checkpoint_config.hpp"
#include "reelyard/store/store_index.hpp"

namespace reelyard::store {

/// All of a weight store but the weights: read by one rank, known to all.
class StoreFile {
public:
    /// Collective. \throws Error (input) on all ranks when the file is no weight store, is
    /// truncated, of a newer schema, or its index is broken; Error (storage) when reading fails
    [[nodiscard]] static StoreFile open(const std::filesystem::path& path,
                                        const mpi::Communicator& world);

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] const StoreIndex& index() const { return index_; }
    /// The checkpoint's configs and its tokenizer.
    [[nodiscard]] const CheckpointConfig& config() const { return config_; }
    /// Where the slab of a component begins in the file.
    [[nodiscard]] std::int64_t slab_offset(const std::string& component) const;
    /// 16 hexadecimal digits that differ between stores of different content.
    [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }

private:
    StoreFile() = default;

    std::filesystem::path path_;
    StoreIndex index_;
    CheckpointConfig config_;
    std::map<std::string, std::int64_t> slab_offsets_;
    std::string fingerprint_;
};

}  // namespace reelyard::store
