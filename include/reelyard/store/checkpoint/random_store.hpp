#pragma once

#include <filesystem>

#include "reelyard/spec/checkpoint_config.hpp"
#include "reelyard/spec/dtype.hpp"
#include "reelyard/spec/model_spec.hpp"

namespace reelyard::store {

/// Writes a store with random weights of the tensors that `model` calls for: what import makes of a
/// checkpoint of that size, for measurements. Whole under its name, or not there.
/// \param dtype of the tensors that the model computes with; the others are float32
/// \throws Error (resources) when the disk is full, (storage)
void write_random_store(const std::filesystem::path& path,
                        const CheckpointConfig& config,
                        const ModelSpec& model,
                        DType dtype);

}  // namespace reelyard::store
