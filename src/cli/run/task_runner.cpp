#include "task_runner.hpp"

#include <exception>
#include <filesystem>
#include <utility>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "reelyard/base/checksum.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/media/sink_registry.hpp"
#include "reelyard/pipeline/decode_stage.hpp"
#include "reelyard/pipeline/denoise_stage.hpp"
#include "reelyard/store/tensor_file.hpp"

#include "error_translation.hpp"

namespace reelyard::cli {
namespace {

/// Names the task that a latent belongs to, so that one left by an earlier run with other settings
/// is not taken for it.
const char* const task_key = "task";

std::string fingerprint(const Task& task, const std::string& model_key) {
    return content_hash(model_key + '\n' + to_json(task));
}

/// Whether a failure ends the job rather than one prompt of it.
bool concerns_the_job(const Error& error) {
    return error.kind() == ErrorKind::communication || error.kind() == ErrorKind::storage;
}

/// Of what can happen while a group denoises: what follows from numbers that all ranks have.
bool happens_on_all_ranks(const Error& error) {
    return error.kind() == ErrorKind::stopped || error.kind() == ErrorKind::internal;
}

}  // namespace

TaskRunner::TaskRunner(Parts parts, TaskPlaces places, OutputChoice choice, int rank)
    : parts_(std::move(parts))
    , places_(std::move(places))
    , choice_(std::move(choice))
    , rank_(rank) {}

TaskResult TaskRunner::run(const Task& task, const StepObserver& observer) {
    TaskResult result{.id = task.id, .state = TaskResult::State::done, .rank = rank_};
    try {
        make_outputs(task, observer, result);
    } catch (...) {
        const Error error = to_error(std::current_exception());
        if (concerns_the_job(error)) {
            throw error;
        }
        result.state = error.kind() == ErrorKind::stopped ? TaskResult::State::stopped
                                                          : TaskResult::State::failed;
        result.reason = error.what();
        result.files.clear();
        result.bytes.clear();
    }
    return result;
}

void TaskRunner::make_outputs(const Task& task, const StepObserver& observer, TaskResult& result) {
    const c10::InferenceMode inference;
    const at::Tensor latent = latent_of(task, observer, result);
    if (!is_first()) {
        return;
    }
    write_video(task, latent, result);
    const auto latent_path = places_.outputs.latent(task.id);
    if (choice_.latents) {
        places_.outputs.add_file(result, latent_path.lexically_relative(places_.outputs.folder()));
    } else {
        posix_file_system().remove(latent_path);
    }
}

bool TaskRunner::has_latent(const Task& task) const {
    bool is_there = false;
    if (is_first()) {
        const auto path = places_.outputs.latent(task.id);
        is_there = std::filesystem::exists(path) &&
                   store::read_metadata(path)[task_key] == fingerprint(task, places_.model_key);
    }
    const at::Tensor answer = at::full({1}, is_there ? 1 : 0, at::kInt);
    parts_.group->replica->broadcast(answer, 0);
    return answer.item<int>() != 0;
}

at::Tensor TaskRunner::latent_of(const Task& task,
                                 const StepObserver& observer,
                                 TaskResult& result) {
    const auto path = places_.outputs.latent(task.id);
    if (has_latent(task)) {
        log::debug("task '{}': going on from the latent of an earlier run", task.id);
        return is_first() ? store::read_tensors(path).at("latent") : at::Tensor();
    }
    const Stopwatch watch;
    const at::Tensor latent = denoise(task, observer);
    result.seconds["denoise"] = watch.seconds();
    if (is_first()) {
        store::write_tensors(
            path, {{"latent", latent}}, {{task_key, fingerprint(task, places_.model_key)}});
    }
    return latent;
}

at::Tensor TaskRunner::denoise(const Task& task, const StepObserver& observer) {
    const int rank = parts_.group->replica->rank();
    try {
        pipeline::TaskConditioning conditioning{
            .prompt = places_.texts.get(task.prompt, parts_.device), .negative = {}};
        if (pipeline::uses_guidance(task)) {
            conditioning.negative = places_.texts.get(task.negative_prompt, parts_.device);
        }
        return pipeline::DenoiseStage(
                   *parts_.transformer, parts_.model, parts_.device, *parts_.group)
            .run(task, conditioning, observer)
            .cpu();
    } catch (...) {
        const Error error = to_error(std::current_exception());
        if (parts_.group->replica->size() == 1 || happens_on_all_ranks(error)) {
            throw error;
        }
        // The others wait for this rank and can only be ended with the job.
        throw Error(ErrorKind::communication,
                    fmt::format("rank {} of the {} ranks that make '{}': {}",
                                rank,
                                parts_.group->replica->size(),
                                task.id,
                                error.what()));
    }
}

void TaskRunner::write_video(const Task& task, const at::Tensor& latent, TaskResult& result) {
    const Stopwatch watch;
    const auto sink = media::make_sink(choice_.video,
                                       {.folder = places_.outputs.videos(),
                                        .id = task.id,
                                        .width = task.size.width,
                                        .height = task.size.height,
                                        .frames_per_second = parts_.model.frames_per_second});
    const at::Tensor frames =
        pipeline::DecodeStage(*parts_.codec, parts_.tiling)
            .run(latent.to(parts_.device), {.sink = *sink, .keep_frames = choice_.frames});
    for (const auto& file : sink->finish()) {
        places_.outputs.add_file(
            result, places_.outputs.videos().lexically_relative(places_.outputs.folder()) / file);
    }
    result.seconds["decode"] = watch.seconds();
    if (choice_.frames) {
        const auto path = places_.outputs.frames(task.id);
        store::write_tensors(path, {{"frames", frames}}, {});
        places_.outputs.add_file(result, path.lexically_relative(places_.outputs.folder()));
    }
}

}  // namespace reelyard::cli
