#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "reelyard/spec/checkpoint_config.hpp"
#include "reelyard/store/safetensors_file.hpp"

namespace reelyard::store {

/// The small files of a checkpoint folder in the diffusers layout: model_index.json, and of every
/// component that it names the configs and the tokenizer's model.
/// \throws Error (input) naming the folder or file that is missing or broken
[[nodiscard]] CheckpointConfig read_checkpoint_config(const std::filesystem::path& folder);

/// Opens the weights of one component: its single safetensors file, or all shards that its index
/// file names. \param name the component, e.g. "transformer"
/// \throws Error (input) naming the file, and the tensor that it should hold
[[nodiscard]] std::vector<SafetensorsFile> open_component(const std::filesystem::path& folder,
                                                          const std::string& name);

}  // namespace reelyard::store
