#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "reelyard/models/conditioner.hpp"
#include "reelyard/models/transformer.hpp"
#include "reelyard/models/video_codec.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/spec/checkpoint_config.hpp"
#include "reelyard/spec/dtype.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/store/weight_loader.hpp"
#include "reelyard/store/weight_set.hpp"

namespace reelyard::models {

using NamedTensors = std::map<std::string, at::Tensor>;

/// What one component is to be run on by itself.
struct EvaluationInput {
    const CheckpointConfig& checkpoint;
    store::WeightSet weights;  ///< of Evaluation::component; empty when it has none
    std::vector<store::BlockShard> shards = {};  ///< its blocks', when they are shared out
    DType compute = DType::float32;
    const NamedTensors& tensors;
    std::string text;                   ///< what the tokenizer is given
    TilingOptions tiling = {};          ///< how the codec cuts large videos
    const parallel::VideoGroup& group;  ///< the ranks that compute it together
};

/// One component by itself, for comparisons and debugging: the names and shapes of its tensors are
/// in the table of `reelyard eval`.
struct Evaluation {
    std::string name;       ///< "vae_decode"
    std::string component;  ///< whose weights it takes: "vae"; empty: none
    /// Which of them it touches; all when empty.
    std::function<bool(const std::string& tensor)> needs;
    /// \throws Error (input) that names a tensor that is missing or of a wrong shape
    std::function<NamedTensors(const EvaluationInput&)> run;
};

/// One kind of model, as functions. Adding one is a folder and a line in registry.cpp.
struct ModelFamily {
    std::string name;  ///< "wan"

    /// Whether a checkpoint (its model_index.json) is of this family.
    std::function<bool(const CheckpointConfig&)> recognise;

    /// All that can be known without weights. \throws Error (input) naming file and key when a
    /// config is not usable
    std::function<ModelSpec(const CheckpointConfig&)> describe;

    /// The three are built without touching weights: they keep the views that the set hands them.
    /// The group outlives what is made for it; the weights are this rank's slices, and its parts of
    /// blocks when these are shared out.
    std::function<std::unique_ptr<Conditioner>(
        const CheckpointConfig&, const store::LoadedWeights&, DType, const parallel::VideoGroup&)>
        make_conditioner;
    std::function<std::unique_ptr<Transformer>(
        const CheckpointConfig&, const store::LoadedWeights&, DType, const parallel::VideoGroup&)>
        make_transformer;
    /// The group outlives the codec.
    std::function<std::unique_ptr<VideoCodec>(
        const CheckpointConfig&, store::WeightSet, const parallel::VideoGroup&)>
        make_codec;

    /// Whether a tensor of the codec's component takes part in decoding; a job that only decodes
    /// does not read the others.
    std::function<bool(const std::string& name)> needed_for_decoding;

    /// Its components, one by one.
    std::vector<Evaluation> evaluations;
};

/// The family of a checkpoint. \throws Error (input) that lists the supported classes when there is
/// none
[[nodiscard]] const ModelFamily& family_of(const CheckpointConfig& config);

}  // namespace reelyard::models
