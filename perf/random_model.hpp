#pragma once

#include <string>

#include "reelyard/spec/checkpoint_config.hpp"
#include "reelyard/spec/dtype.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/store/weight_set.hpp"

namespace reelyard::perf {

/// The configs of a mid-size Wan2.1: 12 layers of width 768, the VAE of the published models.
[[nodiscard]] CheckpointConfig mid_size_wan();

/// Random weights of one component, in the types that it computes with.
[[nodiscard]] store::WeightSet random_weights(const ModelSpec& model,
                                              const std::string& component,
                                              DType compute);

}  // namespace reelyard::perf
