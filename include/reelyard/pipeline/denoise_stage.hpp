#pragma once

#include <c10/core/Device.h>

#include "reelyard/models/transformer.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/spec/step_observer.hpp"
#include "reelyard/spec/task.hpp"

namespace reelyard::pipeline {

/// What the text stage made for one task.
struct TaskConditioning {
    models::Conditioning prompt;
    models::Conditioning negative;  ///< without tensors when the task needs no guidance
};

/// Whether a task takes two branches: classifier-free guidance acts above 1 (diffusers' rule; a
/// scale of 1 gives the conditional branch alone).
[[nodiscard]] bool uses_guidance(const Task& task);

/// How a rank that computes both branches of the guidance does so.
enum class BranchOrder {
    one_by_one,  ///< half the activations
    batched,     ///< half the passes: half as many exchanges, and each weight is fetched once
};

/// From noise to latent: sampler times transformer, with classifier-free guidance. With CFG
/// parallelism each of the two ranks computes one branch, and both the same guided velocity; a task
/// without guidance has one branch, which both compute.
class DenoiseStage {
public:
    /// \param transformer, group outlive the stage
    DenoiseStage(models::Transformer& transformer,
                 const ModelSpec& model,
                 c10::Device device,
                 const parallel::VideoGroup& group,
                 BranchOrder order = BranchOrder::one_by_one);

    /// Collective over the group. \param observer asked on every rank; one answer of stop is
    /// enough \returns the same on all ranks: the final latent [1, C, f, h, w] float32, as the
    /// sampler leaves it \throws Error (stopped) when the observer asks for it; Error (internal)
    /// when a value is not finite
    [[nodiscard]] at::Tensor run(const Task& task,
                                 const TaskConditioning& conditioning,
                                 const StepObserver& observer) const;

private:
    models::Transformer& transformer_;
    ModelSpec model_;
    c10::Device device_;
    const parallel::VideoGroup& group_;
    BranchOrder order_;
};

/// Shape [1, C, f, h, w] of the latent of a video.
[[nodiscard]] std::vector<std::int64_t> latent_shape(const ModelSpec& model, const VideoSize& size);

}  // namespace reelyard::pipeline
