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
                          const TaskConditioning& conditioning,
                          const parallel::TensorComm& cfg) {
    Branches branches{.prompt = {}, .negative = {}, .guided = uses_guidance(task)};
    const bool has_prompt = !branches.guided || cfg.rank() == 0;
    const bool has_negative = branches.guided && cfg.rank() + 1 == cfg.size();
    if (has_prompt) {
        branches.prompt = transformer.prepare(conditioning.prompt);
    }
    if (has_negative) {
        branches.negative = transformer.prepare(conditioning.negative);
    }
    return branches;
}

/// Velocities with the prompt and with the negative prompt.
struct BranchVelocities {
    at::Tensor prompt;
    at::Tensor negative;
};

BranchVelocities both_velocities(models::Transformer& transformer,
                                 const at::Tensor& latent,
                                 const at::Tensor& timestep,
                                 const Branches& branches,
                                 parallel::TensorComm& cfg) {
    if (cfg.size() == 1) {
        return {.prompt = transformer.velocity(latent, timestep, branches.prompt),
                .negative = transformer.velocity(latent, timestep, branches.negative)};
    }
    const at::Tensor own =
        transformer
            .velocity(latent, timestep, cfg.rank() == 0 ? branches.prompt : branches.negative)
            .contiguous();
    const std::vector<at::Tensor> both{at::empty_like(own), at::empty_like(own)};
    cfg.all_gather(own, both);
    return {.prompt = both[0], .negative = both[1]};
}

/// v_negative + g (v_prompt - v_negative), Ho and Salimans 2022 (arXiv:2207.12598).
at::Tensor guided_velocity(const BranchVelocities& both, double guidance_scale) {
    return both.negative + guidance_scale * (both.prompt - both.negative);
}

/// Whether some rank of the group wants to stop.
bool any_stops(StepAnswer own, parallel::TensorComm& group) {
    const at::Tensor votes = at::full({1}, own == StepAnswer::stop ? 1 : 0, at::kInt);
    group.all_reduce(votes);
    return votes.item<int>() > 0;
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
                           c10::Device device,
                           const parallel::VideoGroup& group)
    : transformer_(transformer)
    , model_(model)
    , device_(device)
    , group_(group) {}

at::Tensor DenoiseStage::run(const Task& task,
                             const TaskConditioning& conditioning,
                             const StepObserver& observer) const {
    const c10::InferenceMode inference;
    const auto sampler = samplers::make_sampler(task.sampler,
                                                {.steps = task.steps,
                                                 .flow_shift = task.flow_shift,
                                                 .sigma_schedule = task.sigma_schedule});
    const Branches branches = prepare_branches(transformer_, task, conditioning, *group_.cfg);
    at::Tensor latent =
        samplers::initial_noise(latent_shape(model_, task.size), task.seed).to(device_);
    for (std::int64_t k = 0; k < task.steps; ++k) {
        const auto time = sampler->schedule().timesteps.at(static_cast<std::size_t>(k));
        const at::Tensor timestep = at::full({1}, time, latent.options());
        const at::Tensor velocity =
            branches.guided
                ? guided_velocity(
                      both_velocities(transformer_, latent, timestep, branches, *group_.cfg),
                      task.guidance_scale)
                : transformer_.velocity(latent, timestep, branches.prompt);
        latent = sampler->step(k, velocity, latent);
        require_finite(latent, task, k + 1);
        const StepAnswer answer = observer({.step = k + 1, .steps = task.steps});
        if (any_stops(answer, *group_.replica) && k + 1 < task.steps) {
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
