#include "prepared_job.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"
#include "reelyard/base/format.hpp"
#include "reelyard/jobs/prompt_list.hpp"
#include "reelyard/jobs/task_list.hpp"
#include "reelyard/journal/job_record.hpp"
#include "reelyard/journal/ledger.hpp"
#include "reelyard/media/sink_registry.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/samplers/sampler.hpp"
#include "reelyard/store/transport/transport.hpp"

#include "../version.hpp"

namespace reelyard::cli {
namespace {

using Settings = std::vector<std::pair<std::string, std::string>>;

std::string text_of(bool value) {
    return value ? "true" : "false";
}

/// The settings that a prompt gets when it has none of its own: those of a task made of nothing but
/// the job.
Settings generation_settings(const jobs::JobOptions& options, const ModelSpec& model) {
    const auto given = jobs::overlay(options.generate_in_job_file.settings,
                                     options.generate_on_command_line.settings);
    const auto& defaults = model.defaults;
    const auto size = given.size.value_or(jobs::PixelSize{defaults.width, defaults.height});
    const auto names = known_names();
    return {
        {"generate.negative_prompt", given.negative_prompt.value_or(defaults.negative_prompt)},
        {"generate.size", fmt::format("{}x{}", size.width, size.height)},
        {"generate.frames", std::to_string(given.frames.value_or(defaults.frames))},
        {"generate.steps", std::to_string(given.steps.value_or(defaults.steps))},
        {"generate.guidance_scale",
         fmt::format("{}", given.guidance_scale.value_or(defaults.guidance_scale))},
        {"generate.flow_shift", fmt::format("{}", given.flow_shift.value_or(defaults.flow_shift))},
        {"generate.sampler", given.sampler.value_or(names.samplers.front())},
        {"generate.sigma_schedule", given.sigma_schedule.value_or(names.sigma_schedules.front())},
        {"generate.seed", std::to_string(given.seed.value_or(jobs::default_base_seed))},
    };
}

journal::JobDescription describe_job(const jobs::JobOptions& options,
                                     const ModelSpec& model,
                                     const journal::Maker& maker) {
    journal::JobDescription description{
        .settings = {{"model.checksum", maker.checksum}, {"model.dtype", maker.dtype}},
        .program = maker.program};
    const Settings generation = generation_settings(options, model);
    auto& settings = description.settings;
    settings.insert(settings.end(), generation.begin(), generation.end());
    settings.emplace_back(
        "decode.tiling",
        options.decode.tiling
            ? fmt::format("{}/{}", options.decode.tile_size, options.decode.tile_stride)
            : "off");
    settings.emplace_back("output.video", options.output.video);
    settings.emplace_back("output.latents", text_of(options.output.latents));
    settings.emplace_back("output.frames", text_of(options.output.frames));
    return description;
}

/// On rank 0: all that touches the user's files.
void read_and_check(const jobs::JobOptions& options, const ModelSpec& model, PreparedJob& job) {
    const auto names = known_names();
    job.tasks =
        jobs::make_tasks(jobs::read_prompt_list(options.prompts, names), options, model, names);
    media::check_sink(options.output.video);

    const journal::OutputStore outputs(options.output.dir);
    make_folders(outputs.folder());
    job.folder_lock = std::make_unique<journal::FolderLock>(outputs.folder());
    const auto ledger = journal::Ledger::read(outputs.manifest());
    journal::check_same_tasks(ledger, job.tasks, job.maker, outputs.manifest());
    journal::check_same_job(outputs.job_file(), describe_job(options, model, job.maker));
    // Every latent is on the disk before it is decoded, also those that are not kept.
    outputs.prepare({.latents = true, .frames = options.output.frames});
    job.remaining = outputs.missing(ledger, job.tasks);
}

std::string to_text(const std::vector<Task>& tasks) {
    auto lines = nlohmann::json::array();
    for (const Task& task : tasks) {
        lines.push_back(to_json(task));
    }
    return lines.dump();
}

std::vector<Task> from_text(const std::string& text) {
    std::vector<Task> tasks;
    for (const std::string line : nlohmann::json::parse(text)) {
        tasks.push_back(task_from_json(line));
    }
    return tasks;
}

}  // namespace

const Task& PreparedJob::task(const std::string& id) const {
    const auto found = std::find_if(
        remaining.begin(), remaining.end(), [&](const Task& each) { return each.id == id; });
    REELYARD_EXPECT(found != remaining.end());
    return *found;
}

jobs::KnownNames known_names() {
    return {.samplers = samplers::sampler_names(),
            .sigma_schedules = samplers::sigma_schedule_names(),
            .video_formats = media::sink_names(),
            .transports = store::transport_names()};
}

PreparedJob prepare_job(const mpi::Communicator& world,
                        const jobs::JobOptions& options,
                        const store::StoreFile& store,
                        const ModelSpec& model) {
    PreparedJob job{.maker = {.family = model.family,
                              .checksum = store.fingerprint(),
                              .dtype = std::string(to_string(options.model.dtype)),
                              .program = program_version()},
                    .remaining = {},
                    .tasks = {},
                    .folder_lock = nullptr};
    const std::string remaining = mpi::on_root(world, [&] {
        read_and_check(options, model, job);
        return to_text(job.remaining);
    });
    job.remaining = from_text(remaining);
    return job;
}

}  // namespace reelyard::cli
