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
#include "reelyard/trace/span.hpp"

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

TaskResult TaskRunner::denoise(const Task& task, const StepObserver& observer) {
    const trace::Span span(parts_.group->recorder(), "denoise", task.id);
    return outcome_of(task, TaskResult::State::begun, [&](TaskResult& result) {
        latent_ = {.task = task.id, .values = make_latent(task, observer, result)};
    });
}

TaskResult TaskRunner::decode(const Task& task) {
    const trace::Span span(parts_.group->recorder(), "decode", task.id);
    return outcome_of(task, TaskResult::State::done, [&](TaskResult& result) {
        write_video(task, take_latent(task), result);
        if (is_first()) {
            keep_or_remove_latent(task, result);
        }
    });
}

TaskResult TaskRunner::outcome_of(const Task& task,
                                  TaskResult::State good,
                                  const std::function<void(TaskResult&)>& half) const {
    const c10::InferenceMode inference;
    TaskResult result{.id = task.id, .state = good, .rank = rank_};
    try {
        half(result);
    } catch (...) {
        const Error error = to_error(std::current_exception());
        if (concerns_the_job(error)) {
            throw Error(error);
        }
        result.state = error.kind() == ErrorKind::stopped ? TaskResult::State::stopped
                                                          : TaskResult::State::failed;
        result.reason = error.what();
        result.files.clear();
        result.bytes.clear();
    }
    return result;
}

bool TaskRunner::ask_first(const std::function<bool()>& body) const {
    constexpr int failed = 2;
    std::exception_ptr failure;
    int answer = 0;
    if (is_first()) {
        try {
            answer = body() ? 1 : 0;
        } catch (...) {
            failure = std::current_exception();
            answer = failed;
        }
    }
    const at::Tensor told = at::full({1}, answer, at::kInt);
    parts_.group->replica->broadcast(told, 0);
    if (failure) {
        std::rethrow_exception(failure);
    }
    require(told.item<int>() != failed,
            ErrorKind::stopped,
            "the first of the ranks that make the video gave it up");
    return told.item<int>() == 1;
}

void TaskRunner::on_first(const std::function<void()>& body) const {
    (void)ask_first([&] {
        body();
        return true;
    });
}

void TaskRunner::together(const Task& task, const std::function<void()>& body) const {
    try {
        body();
    } catch (...) {
        const Error error = to_error(std::current_exception());
        const parallel::TensorComm& ranks = *parts_.group->replica;
        if (ranks.size() == 1 || happens_on_all_ranks(error)) {
            throw Error(error);
        }
        // The others wait for this rank and can only be ended with the job.
        throw Error(ErrorKind::communication,
                    fmt::format("rank {} of the {} ranks that make '{}': {}",
                                ranks.rank(),
                                ranks.size(),
                                task.id,
                                error.what()));
    }
}

void TaskRunner::keep_or_remove_latent(const Task& task, TaskResult& result) const {
    const auto path = places_.outputs.latent(task.id);
    if (choice_.latents) {
        places_.outputs.add_file(result, path.lexically_relative(places_.outputs.folder()));
    } else {
        posix_file_system().remove(path);
    }
}

at::Tensor TaskRunner::latent_on_disk(const Task& task) const {
    const auto path = places_.outputs.latent(task.id);
    at::Tensor latent;
    const bool is_there = ask_first([&] {
        if (!std::filesystem::exists(path) ||
            store::read_metadata(path)[task_key] != fingerprint(task, places_.model_key)) {
            return false;
        }
        latent = store::read_tensors(path).at("latent");
        return true;
    });
    if (!is_there) {
        return {};
    }
    return is_first() ? latent
                      : at::empty(pipeline::latent_shape(parts_.model, task.size), at::kFloat);
}

at::Tensor TaskRunner::make_latent(const Task& task,
                                   const StepObserver& observer,
                                   TaskResult& result) {
    at::Tensor latent = latent_on_disk(task);
    if (latent.defined()) {
        log::debug("task '{}': going on from the latent of an earlier run", task.id);
        return latent;
    }
    const Stopwatch watch;
    latent = compute_latent(task, observer);
    result.seconds["denoise"] = watch.seconds();
    on_first([&] {
        store::write_tensors(places_.outputs.latent(task.id),
                             {{"latent", latent}},
                             {{task_key, fingerprint(task, places_.model_key)}});
    });
    return latent;
}

at::Tensor TaskRunner::take_latent(const Task& task) {
    at::Tensor latent = latent_.task == task.id ? latent_.values : latent_on_disk(task);
    latent_ = {};
    require(latent.defined(),
            ErrorKind::storage,
            "{}: not there or of another task (expected the latent that other ranks have just "
            "written; is the output folder the same for all nodes?)",
            places_.outputs.latent(task.id).string());
    // All decode parts of the very same latent, so that the parts fit without a seam.
    parts_.group->replica->broadcast(latent, 0);
    return latent.to(parts_.device);
}

at::Tensor TaskRunner::compute_latent(const Task& task, const StepObserver& observer) {
    at::Tensor latent;
    const std::int64_t received_before = parts_.group->received_bytes();
    together(task, [&] {
        pipeline::TaskConditioning conditioning{
            .prompt = places_.texts.get(task.prompt, parts_.device), .negative = {}};
        if (pipeline::uses_guidance(task)) {
            conditioning.negative = places_.texts.get(task.negative_prompt, parts_.device);
        }
        latent =
            pipeline::DenoiseStage(
                *parts_.transformer, parts_.model, parts_.device, *parts_.group, parts_.branches)
                .run(task, conditioning, observer)
                .cpu();
    });
    received_bytes_ += parts_.group->received_bytes() - received_before;
    return latent;
}

void TaskRunner::write_video(const Task& task, const at::Tensor& latent, TaskResult& result) {
    const Stopwatch watch;
    std::unique_ptr<media::FrameSink> sink;
    on_first([&] {
        sink = media::make_sink(choice_.video,
                                {.folder = places_.outputs.videos(),
                                 .id = task.id,
                                 .width = task.size.width,
                                 .height = task.size.height,
                                 .frames_per_second = parts_.model.frames_per_second});
    });
    pipeline::DecodedVideo video;
    together(task, [&] {
        video = pipeline::DecodeStage(*parts_.codec, parts_.tiling)
                    .run(latent, {.sink = sink.get(), .keep_frames = choice_.frames});
    });
    if (!is_first()) {
        return;
    }
    if (video.sink_failure) {
        std::rethrow_exception(video.sink_failure);
    }
    for (const auto& file : sink->finish()) {
        places_.outputs.add_file(
            result, places_.outputs.videos().lexically_relative(places_.outputs.folder()) / file);
    }
    result.seconds["decode"] = watch.seconds();
    if (choice_.frames) {
        const auto path = places_.outputs.frames(task.id);
        store::write_tensors(path, {{"frames", video.frames}}, {});
        places_.outputs.add_file(result, path.lexically_relative(places_.outputs.folder()));
    }
}

}  // namespace reelyard::cli
