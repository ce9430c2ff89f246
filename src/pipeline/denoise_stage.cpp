#include "reelyard/pipeline/denoise_stage.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "reelyard/base/error.hpp"
#include "reelyard/samplers/initial_noise.hpp"
#include "reelyard/samplers/sampler.hpp"
#include "reelyard/trace/span.hpp"

namespace reelyard::pipeline {
namespace {

/// v_negative + g (v_prompt - v_negative), Ho and Salimans 2022 (arXiv:2207.12598).
at::Tensor guided(const at::Tensor& prompt, const at::Tensor& negative, double guidance_scale) {
    return negative + guidance_scale * (prompt - negative);
}

/// The velocity of one task, from the branches that its guidance takes.
class GuidedTransformer {
public:
    GuidedTransformer(models::Transformer& transformer,
                      parallel::TensorComm& cfg,
                      BranchOrder order,
                      const Task& task,
                      const TaskConditioning& conditioning)
        : transformer_(transformer)
        , cfg_(cfg)
        , is_guided_(uses_guidance(task))
        , is_batched_(order == BranchOrder::batched && cfg.size() == 1)
        , guidance_scale_(task.guidance_scale) {
        if (is_guided_ && is_batched_) {
            add(transformer.batch({conditioning.prompt, conditioning.negative}));
            return;
        }
        if (!is_guided_ || cfg.rank() == 0) {
            add(conditioning.prompt);
        }
        if (is_guided_ && cfg.rank() + 1 == cfg.size()) {
            add(conditioning.negative);
        }
    }

    /// \param latent [1, C, f, h, w] \param timestep [1]
    [[nodiscard]] at::Tensor velocity(const at::Tensor& latent, const at::Tensor& timestep) const {
        if (!is_guided_) {
            return pass(latent, timestep, 0);
        }
        if (is_batched_) {
            const auto both =
                pass(at::cat({latent, latent}), at::cat({timestep, timestep}), 0).chunk(2);
            return guided(both[0], both[1], guidance_scale_);
        }
        const at::Tensor own = pass(latent, timestep, 0);
        if (cfg_.size() == 1) {
            return guided(own, pass(latent, timestep, 1), guidance_scale_);
        }
        const at::Tensor sent = own.contiguous();
        const std::vector<at::Tensor> both{at::empty_like(sent), at::empty_like(sent)};
        cfg_.all_gather(sent, both);
        return guided(both[0], both[1], guidance_scale_);
    }

private:
    void add(const models::Conditioning& conditioning) {
        branches_.push_back(transformer_.prepare(conditioning));
    }

    [[nodiscard]] at::Tensor pass(const at::Tensor& latent,
                                  const at::Tensor& timestep,
                                  std::size_t branch) const {
        return transformer_.velocity(latent, timestep, branches_.at(branch));
    }

    models::Transformer& transformer_;
    parallel::TensorComm& cfg_;
    bool is_guided_;
    bool is_batched_;
    double guidance_scale_;
    std::vector<models::Conditioning> branches_;  ///< that this rank computes
};

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
                           const parallel::VideoGroup& group,
                           BranchOrder order)
    : transformer_(transformer)
    , model_(model)
    , device_(device)
    , group_(group)
    , order_(order) {}

at::Tensor DenoiseStage::run(const Task& task,
                             const TaskConditioning& conditioning,
                             const StepObserver& observer) const {
    const c10::InferenceMode inference;
    const auto sampler = samplers::make_sampler(task.sampler,
                                                {.steps = task.steps,
                                                 .flow_shift = task.flow_shift,
                                                 .sigma_schedule = task.sigma_schedule});
    const GuidedTransformer transformer(transformer_, *group_.cfg, order_, task, conditioning);
    at::Tensor latent =
        samplers::initial_noise(latent_shape(model_, task.size), task.seed).to(device_);
    for (std::int64_t k = 0; k < task.steps; ++k) {
        const trace::Span span(group_.recorder(), "step", k + 1);
        const auto time = sampler->schedule().timesteps.at(static_cast<std::size_t>(k));
        const at::Tensor timestep = at::full({1}, time, latent.options());
        latent = sampler->step(k, transformer.velocity(latent, timestep), latent);
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
