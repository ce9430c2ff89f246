#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/store/weight_loader.hpp"

#include "load_settings.hpp"

namespace reelyard::cli {

/// Weights that this rank has loaded, and what that cost it.
struct LoadedModel {
    std::vector<store::LoadedWeights> components = {};      ///< with strategy once
    std::vector<std::unique_ptr<std::byte[]>> copies = {};  ///< with strategy everyone
    std::vector<std::span<const std::byte>> memory = {};    ///< where all of it lies
    store::LoadReport report = {};                          ///< of all components together
};

/// The components that are to be loaded, with the precision that makes every tensor what the
/// settings ask for. \throws Error (input) when there is no component of the name, or when the
/// tensors of one are stored in two types below float32 and no type is asked for
[[nodiscard]] std::vector<ComponentSpec> components_to_load(const store::StoreFile& file,
                                                            const ModelSpec& model,
                                                            const LoadSettings& settings);

/// Bytes of the weights of all components in the types that they are to have.
[[nodiscard]] std::int64_t held_bytes(const store::StoreFile& file,
                                      const std::vector<ComponentSpec>& components,
                                      const LoadSettings& settings);

/// Loads components as `reelyard run` does. Collective.
[[nodiscard]] LoadedModel load_once(const store::StoreFile& file,
                                    const std::vector<ComponentSpec>& components,
                                    const mpi::Communicator& world,
                                    const LoadSettings& settings);

/// Loads components as most programs do: this rank reads every tensor through the page cache into
/// ordinary memory of its own. Collective, in that failures are agreed upon.
[[nodiscard]] LoadedModel load_as_everyone(const store::StoreFile& file,
                                           const std::vector<ComponentSpec>& components,
                                           const mpi::Communicator& world);

}  // namespace reelyard::cli
