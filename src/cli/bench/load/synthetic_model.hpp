#pragma once

#include <cstdint>
#include <filesystem>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/spec/checkpoint_config.hpp"

namespace reelyard::cli {

/// The configs, as diffusers writes them, of a Wan2.1 with the tensors of the 14B model scaled down
/// (or up) until its weights in bfloat16 are at least `bytes`, and as little more as its shapes
/// allow: 40 layers of 40 heads; the feed-forward part is 2.7 times as wide as a token, or more
/// until the size is reached (in models of a GiB and above at most 3.2 times). Text encoder and VAE
/// are tiny.
[[nodiscard]] CheckpointConfig synthetic_model(std::int64_t bytes);

/// Writes a store of synthetic_model(bytes) with random weights at `path`, unless the same is there
/// already. Collective. \throws Error (input) when something else is there
void provide_synthetic_store(const std::filesystem::path& path,
                             std::int64_t bytes,
                             const mpi::Communicator& world);

}  // namespace reelyard::cli
