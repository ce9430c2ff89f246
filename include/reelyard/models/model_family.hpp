#pragma once

#include <functional>
#include <memory>
#include <string>

#include <c10/core/Device.h>

#include "reelyard/models/conditioner.hpp"
#include "reelyard/models/transformer.hpp"
#include "reelyard/models/video_codec.hpp"
#include "reelyard/spec/checkpoint_config.hpp"
#include "reelyard/spec/dtype.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/store/weight_set.hpp"

namespace reelyard::models {

/// One kind of model, as functions. Adding one is a folder and a line in registry.cpp.
struct ModelFamily {
    std::string name;  ///< "wan"

    /// Whether a checkpoint (its model_index.json) is of this family.
    std::function<bool(const CheckpointConfig&)> recognise;

    /// All that can be known without weights. \throws Error (input) naming file and key when a
    /// config is not usable
    std::function<ModelSpec(const CheckpointConfig&)> describe;

    /// The three are built without touching weights: they keep the views that the set hands them.
    std::function<std::unique_ptr<Conditioner>(const CheckpointConfig&, store::WeightSet, DType)>
        make_conditioner;
    std::function<std::unique_ptr<Transformer>(const CheckpointConfig&, store::WeightSet, DType)>
        make_transformer;
    std::function<std::unique_ptr<VideoCodec>(const CheckpointConfig&, store::WeightSet)>
        make_codec;
};

/// The family of a checkpoint. \throws Error (input) that lists the supported classes when there is
/// none
[[nodiscard]] const ModelFamily& family_of(const CheckpointConfig& config);

}  // namespace reelyard::models
