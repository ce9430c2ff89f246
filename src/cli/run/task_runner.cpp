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
    write_video(task, latent, result);
    const auto latent_path = places_.outputs.latent(task.id);
    if (choice_.latents) {
        places_.outputs.add_file(result, latent_path.lexically_relative(places_.outputs.folder()));
    } else {
        posix_file_system().remove(latent_path);
    }
}

at::Tensor TaskRunner::latent_of(const Task& task,
                                 const StepObserver& observer,
                                 TaskResult& result) {
    const auto path = places_.outputs.latent(task.id);
    const std::string key = fingerprint(task, places_.model_key);
    if (std::filesystem::exists(path) && store::read_metadata(path)[task_key] == key) {
        log::debug("task '{}': going on from the latent of an earlier run", task.id);
        return store::read_tensors(path).at("latent");
    }
    const Stopwatch watch;
    pipeline::TaskConditioning conditioning{.prompt = places_.texts.get(task.prompt, parts_.device),
                                            .negative = {}};
    if (pipeline::uses_guidance(task)) {
        conditioning.negative = places_.texts.get(task.negative_prompt, parts_.device);
    }
    const at::Tensor latent =
        pipeline::DenoiseStage(*parts_.transformer, parts_.model, parts_.device)
            .run(task, conditioning, observer)
            .cpu();
    result.seconds["denoise"] = watch.seconds();
    store::write_tensors(path, {{"latent", latent}}, {{task_key, key}});
    return latent;
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
