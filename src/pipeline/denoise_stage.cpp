#include "reelyard/pipeline/denoise_stage.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "reelyard/base/error.hpp"
#include "reelyard/samplers/initial_noise.hpp"
#include "reelyard/samplers/sampler.hpp"

namespace reelyard::pipeline {
namespace {

/// Transformer inputs of both branches, ready for every step.
struct Branches {
    models::Conditioning prompt;
    models::Conditioning negative;
    bool guided = false;
};

Branches prepare_branches(const models::Transformer& transformer,
                          const Task& task,
                          const TaskConditioning& conditioning) {
    Branches branches{.prompt = transformer.prepare(conditioning.prompt),
                      .negative = {},
                      .guided = uses_guidance(task)};
    if (branches.guided) {
        branches.negative = transformer.prepare(conditioning.negative);
    }
    return branches;
}

/// v_negative + g (v_prompt - v_negative), Ho and Salimans 2022 (arXiv:2207.12598).
at::Tensor guided_velocity(models::Transformer& transformer,
                           const at::Tensor& latent,
                           const at::Tensor& timestep,
                           const Branches& branches,
                           double guidance_scale) {
    const at::Tensor with_prompt = transformer.velocity(latent, timestep, branches.prompt);
    if (!branches.guided) {
        return with_prompt;
    }
    const at::Tensor without = transformer.velocity(latent, timestep, branches.negative);
    return without + guidance_scale * (with_prompt - without);
}

void require_finite(const at::Tensor& latent, const Task& task, std::int64_t step) {
    require(at::isfinite(latent).all().item<bool>(),
            ErrorKind::internal,
            "task '{}': the latent is not finite after step {} of {} (overflow in the model?); try "
            "model.dtype = float32",
            task.id,
            step,
            task.steps);
}

}  // namespace

bool uses_guidance(const Task& task) {
    return task.guidance_scale > 1.0;
}

std::vector<std::int64_t> latent_shape(const ModelSpec& model, const VideoSize& size) {
    return {1,
            model.latent_channels,
            (size.frames - 1) / model.temporal_compression + 1,
            size.height / model.spatial_compression,
            size.width / model.spatial_compression};
}

DenoiseStage::DenoiseStage(models::Transformer& transformer,
                           const ModelSpec& model,
                           c10::Device device)
    : transformer_(transformer)
    , model_(model)
    , device_(device) {}

at::Tensor DenoiseStage::run(const Task& task,
                             const TaskConditioning& conditioning,
                             const StepObserver& observer) const {
    const c10::InferenceMode inference;
    const auto sampler = samplers::make_sampler(task.sampler,
                                                {.steps = task.steps,
                                                 .flow_shift = task.flow_shift,
                                                 .sigma_schedule = task.sigma_schedule});
    const Branches branches = prepare_branches(transformer_, task, conditioning);
    at::Tensor latent =
        samplers::initial_noise(latent_shape(model_, task.size), task.seed).to(device_);
    for (std::int64_t k = 0; k < task.steps; ++k) {
        const auto time = sampler->schedule().timesteps.at(static_cast<std::size_t>(k));
        const at::Tensor timestep = at::full({1}, time, latent.options());
        const at::Tensor velocity =
            guided_velocity(transformer_, latent, timestep, branches, task.guidance_scale);
        latent = sampler->step(k, velocity, latent);
        require_finite(latent, task, k + 1);
        if (observer({.step = k + 1, .steps = task.steps}) == StepAnswer::stop &&
            k + 1 < task.steps) {
            fail(ErrorKind::stopped,
                 "task '{}': stopped after step {} of {}",
                 task.id,
                 k + 1,
                 task.steps);
        }
    }
    return latent;
}

}  // namespace reelyard::pipeline
