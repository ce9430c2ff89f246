#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include <c10/core/Device.h>

#include "reelyard/journal/output_store.hpp"
#include "reelyard/models/transformer.hpp"
#include "reelyard/models/video_codec.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/pipeline/conditioning_cache.hpp"
#include "reelyard/pipeline/denoise_stage.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/spec/step_observer.hpp"
#include "reelyard/spec/task.hpp"
#include "reelyard/spec/task_result.hpp"

namespace reelyard::cli {

/// What is written for each task besides the video.
struct OutputChoice {
    std::string video;  ///< name of the sink
    bool latents = false;
    bool frames = false;
};

/// Where a rank gets its inputs from and leaves its outputs.
struct TaskPlaces {
    journal::OutputStore outputs;
    pipeline::ConditioningCache texts;
    std::string model_key;  ///< what a latent depends on besides its task
};

/// A task on the ranks that make a video together, in two halves: latent, then video and files.
/// Holds the models of both. All ranks of the group denoise and decode; the first writes. Ranks
/// that no group has a place for decode only, and have no transformer.
class TaskRunner {
public:
    struct Parts {
        std::unique_ptr<parallel::VideoGroup> group;       ///< outlives transformer and codec
        std::unique_ptr<models::Transformer> transformer;  ///< none: it decodes only
        std::unique_ptr<models::VideoCodec> codec;
        models::TilingOptions tiling;
        ModelSpec model;
        c10::Device device;
        pipeline::BranchOrder branches = pipeline::BranchOrder::one_by_one;
    };

    TaskRunner(Parts parts, TaskPlaces places, OutputChoice choice, int rank);

    /// Collective over the group. A task that fails gives a result with the reason; only failures
    /// that concern the job as a whole (storage, communication, a full disk, one rank of a group
    /// alone) are thrown. \returns on the first rank of the group what came of the half:
    /// State::begun when the latent is on the disk
    [[nodiscard]] TaskResult denoise(const Task& task, const StepObserver& observer);
    /// The same for a task whose latent is on the disk, wherever it was made.
    [[nodiscard]] TaskResult decode(const Task& task);

    /// From the other ranks of the group, while it denoised so far.
    [[nodiscard]] std::int64_t received_bytes() const { return received_bytes_; }

private:
    /// The latent that is to be decoded next.
    struct Latent {
        std::string task;
        at::Tensor values;  ///< [1, C, f, h, w]; filled in on the first rank at least
    };

    [[nodiscard]] TaskResult outcome_of(const Task& task,
                                        TaskResult::State good,
                                        const std::function<void(TaskResult&)>& half) const;
    [[nodiscard]] bool is_first() const { return parts_.group->replica->rank() == 0; }
    /// Runs `body` on the first rank of the group. \returns its answer on all ranks
    /// \throws Error on all ranks when it throws: on the others one that ends the task quietly
    [[nodiscard]] bool ask_first(const std::function<bool()>& body) const;
    void on_first(const std::function<void()>& body) const;
    /// A computation of all ranks together; what can fail on one of them alone ends the job.
    void together(const Task& task, const std::function<void()>& body) const;
    [[nodiscard]] at::Tensor make_latent(const Task& task,
                                         const StepObserver& observer,
                                         TaskResult& result);
    /// The same on all ranks of the group, on the device.
    [[nodiscard]] at::Tensor take_latent(const Task& task);
    /// On the first rank; elsewhere one to receive it in. Undefined on all: there is none.
    [[nodiscard]] at::Tensor latent_on_disk(const Task& task) const;
    [[nodiscard]] at::Tensor compute_latent(const Task& task, const StepObserver& observer);
    void keep_or_remove_latent(const Task& task, TaskResult& result) const;
    void write_video(const Task& task, const at::Tensor& latent, TaskResult& result);

    Parts parts_;
    TaskPlaces places_;
    OutputChoice choice_;
    int rank_;
    Latent latent_;
    std::int64_t received_bytes_ = 0;
};

}  // namespace reelyard::cli
