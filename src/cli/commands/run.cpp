#include "run.hpp"

#include <cstdint>
#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "reelyard/base/clock.hpp"
#include "reelyard/base/file_system.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/base/stop_signal.hpp"
#include "reelyard/device/device.hpp"
#include "reelyard/dispatch/run_loop.hpp"
#include "reelyard/jobs/job_options.hpp"
#include "reelyard/journal/manifest_writer.hpp"
#include "reelyard/media/contact_sheet.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/pipeline/conditioning_cache.hpp"
#include "reelyard/topology/gather_inventory.hpp"

#include "../progress.hpp"
#include "../run/compute_threads.hpp"
#include "../run/contact_rows.hpp"
#include "../run/layout.hpp"
#include "../run/model_source.hpp"
#include "../run/prepared_job.hpp"
#include "../run/start_times.hpp"
#include "../run/summary.hpp"
#include "../run/task_relay.hpp"
#include "../run/task_runner.hpp"
#include "../run/text_stage.hpp"
#include "../trace/run_trace.hpp"

namespace reelyard::cli {
namespace {

constexpr int some_prompts_failed = 1;

jobs::JobOptions read_options(const mpi::Communicator& world,
                              const std::vector<std::string>& arguments) {
    jobs::JobOptions options;
    mpi::together(world, [&] { options = jobs::read_job(arguments, known_names()); });
    return options;
}

void start_log(const mpi::Communicator& world, const jobs::LogOptions& options) {
    mpi::together(world, [&] {
        log::configure({.level = options.quiet ? log::Level::warning : log::Level::info,
                        .file = world.rank() == 0 ? options.file : std::filesystem::path{},
                        .rank = world.rank(),
                        .ranks = world.size()});
    });
}

c10::Device choose_device(const mpi::Communicator& world, const std::string& text) {
    std::optional<c10::Device> device;
    const int local_rank = world.split_by_node().rank();
    mpi::together(world, [&] {
        device = device::resolve(text, local_rank);
        device::make_current(*device);
    });
    return *device;
}

/// Where the ranks are; keeps each near its memory.
topology::Inventory find_hardware(const mpi::Communicator& world, c10::Device device) {
    auto inventory = topology::gather_inventory(
        world, device.is_cuda() ? topology::Devices::any : topology::Devices::cores);
    topology::bind_to_domain(world, inventory);
    return inventory;
}

std::unique_ptr<TaskRunner> make_runner(const parallel::ProcessGrid& grid,
                                        std::unique_ptr<parallel::VideoGroup> group,
                                        ModelSource& model,
                                        const jobs::JobOptions& options,
                                        TaskPlaces places,
                                        int rank) {
    const auto& config = model.file().config();
    const auto weights = model.load_part("transformer", grid.slice(), grid.block_part());
    // A spare rank has taken part in loading, and keeps nothing of it.
    auto transformer = grid.is_spare() ? nullptr
                                       : model.family().make_transformer(
                                             config, weights, model.use().dtype, *group);
    auto codec =
        model.family().make_codec(config, model.load("vae", ModelSource::Part::decoding), *group);
    return std::make_unique<TaskRunner>(
        TaskRunner::Parts{.group = std::move(group),
                          .transformer = std::move(transformer),
                          .codec = std::move(codec),
                          .tiling = {.enabled = options.decode.tiling,
                                     .tile_size = options.decode.tile_size,
                                     .tile_stride = options.decode.tile_stride},
                          .model = model.spec(),
                          .device = model.use().device,
                          .branches = options.sequence_batch ? pipeline::BranchOrder::batched
                                                             : pipeline::BranchOrder::one_by_one},
        std::move(places),
        OutputChoice{.video = options.output.video,
                     .latents = options.output.latents,
                     .frames = options.output.frames},
        rank);
}

/// Who works together in a run: the ranks of each video, and those without a place, which decode.
struct Crew {
    const mpi::Communicator& world;
    const parallel::ProcessGrid& grid;
    mpi::Communicator team;   ///< the ranks that make one video with this one, or decode with it
    mpi::Communicator first;  ///< the first of each team, on these; elsewhere the others

    Crew(const mpi::Communicator& all, const parallel::ProcessGrid& places)
        : world(all)
        , grid(places)
        , team(places.replica_group())
        , first(all.split(leads() ? 0 : 1, places.is_spare() ? all.size() : all.rank())) {}

    [[nodiscard]] bool leads() const { return team.rank() == 0; }
    [[nodiscard]] dispatch::Post post() const {
        return grid.is_spare() ? dispatch::Post::second_halves : dispatch::Post::whole_tasks;
    }
};

StepAnswer answer_to_step() {
    return StopSignal::requested() ? StepAnswer::stop : StepAnswer::go_on;
}

/// Runs what is missing and records each result when its files are on the disk. On the ranks that
/// lead a team.
std::vector<dispatch::WorkShare> lead_tasks(const Crew& crew,
                                            const PreparedJob& job,
                                            const std::filesystem::path& manifest,
                                            bool quiet,
                                            TaskRelay& relay,
                                            Tally& tally) {
    TaskProgress progress(job.remaining,
                          crew.grid.layout().replicas,
                          choose_progress_output(crew.first.rank(), quiet));
    std::optional<journal::ManifestWriter> writer;
    mpi::together(crew.first, [&] {
        if (crew.first.rank() == 0) {
            writer.emplace(manifest);
        }
    });
    const auto run = [&](Half half) {
        return [&, half](const Task& task) {
            return relay.lead(task, half, [&](const StepProgress& step) {
                progress.step(task, step);
                return answer_to_step();
            });
        };
    };
    const auto consume = [&](const TaskResult& result) {
        if (result.state != TaskResult::State::stopped) {
            writer->append({.task = job.task(result.id),
                            .result = result,
                            .maker = job.maker,
                            .time = utc_now()});
        }
        if (result.state == TaskResult::State::failed) {
            log::local_warning("prompt '{}' failed: {}", result.id, result.reason);
        }
        tally.add(job.task(result.id), result);
        progress.finished(result);
    };
    auto shares =
        dispatch::run_tasks_in_halves(crew.first,
                                      job.remaining,
                                      {.begin = run(Half::denoise), .finish = run(Half::decode)},
                                      crew.post(),
                                      consume);
    progress.finish();
    return shares;
}

/// Every rank at its post until all tasks are done.
std::vector<dispatch::WorkShare> run_tasks(const Crew& crew,
                                           const PreparedJob& job,
                                           const std::filesystem::path& manifest,
                                           bool quiet,
                                           TaskRunner& runner,
                                           Tally& tally) {
    TaskRelay relay(runner, crew.team);
    std::vector<dispatch::WorkShare> shares;
    std::optional<Error> failure;
    if (crew.leads()) {
        try {
            shares = lead_tasks(crew, job, manifest, quiet, relay, tally);
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::communication) {
                throw;
            }
            failure = error;
        }
        relay.release();
    } else {
        relay.follow([](const StepProgress& /*step*/) { return answer_to_step(); });
    }
    crew.world.patient_barrier();
    mpi::agree(crew.world, failure);
    return shares;
}

/// What a run made and what it took.
struct RunResult {
    Tally tally;
    RunTimes times;
    std::vector<dispatch::WorkShare> shares;
    std::int64_t received_bytes = 0;  ///< by this rank while it denoised, from others of its video
};

/// All stages, from texts to files. \param start what is known of the start so far
RunResult make_videos(const Crew& crew,
                      ModelSource& model,
                      const jobs::JobOptions& options,
                      const PreparedJob& job,
                      const TaskPlaces& places,
                      StartTimes start) {
    RunResult result;
    auto group = std::make_unique<parallel::VideoGroup>(parallel::make_video_group(
        crew.grid, options.parallel.timeout, model.use().device, model.use().recorder));
    result.times.text_seconds =
        encode_missing_texts(crew.grid, *group, model, job.remaining, places.texts);
    const double text_loading = loading_seconds(model.totals());
    start.text_seconds = result.times.text_seconds - text_loading;
    const Stopwatch loading;
    const auto runner =
        make_runner(crew.grid, std::move(group), model, options, places, crew.world.rank());
    result.times.load_seconds = loading.seconds();
    start.attach_seconds =
        result.times.load_seconds - (loading_seconds(model.totals()) - text_loading);
    start.ready_seconds = process_age_seconds();
    log::info("{}", start_text(start, model.totals()));
    result.shares =
        run_tasks(crew, job, places.outputs.manifest(), options.log.quiet, *runner, result.tally);
    result.received_bytes = runner->received_bytes();
    return result;
}

/// On rank 0, when all is through: the contact sheet; encoded texts are removed when nobody needs
/// them any more.
void tidy_up(const jobs::JobOptions& options,
             const PreparedJob& job,
             const TaskPlaces& places,
             const Tally& tally) {
    if (options.output.contact_sheet) {
        const auto path = places.outputs.folder() / "contact_sheet.png";
        media::write_contact_sheet(path,
                                   contact_rows(job.tasks, places.outputs, options.output.video));
        log::info("contact sheet: {}", path.string());
    }
    if (tally.made == static_cast<int>(job.remaining.size())) {
        places.texts.clear();
        if (!options.output.latents) {
            posix_file_system().remove(places.outputs.latents());
        }
    }
}

std::string layout_text(const ParallelLayout& layout, int ranks) {
    const int spare = ranks - layout.used_ranks();
    return to_string(layout) + (spare == 0 ? "" : fmt::format(", and {} to decode", spare));
}

/// What is about to be done, in a line.
std::string prospect(const PreparedJob& job,
                     int ranks,
                     const std::string& layout,
                     int threads,
                     const std::string& device) {
    return fmt::format("{} of {} prompts to make, on {} rank{} ({}) with {} thread{} each ({})",
                       job.remaining.size(),
                       job.tasks.size(),
                       ranks,
                       ranks == 1 ? "" : "s",
                       layout,
                       threads,
                       threads == 1 ? "" : "s",
                       device);
}

/// On rank 0, for comparisons with other runs.
void keep_record(report::RunRecord record,
                 const mpi::Communicator& world,
                 const topology::Inventory& inventory,
                 int threads,
                 const std::string& device,
                 const std::filesystem::path& folder) {
    mpi::together(world, [&] {
        if (world.rank() == 0 && record.videos > 0) {
            record.ranks = world.size();
            record.nodes = static_cast<int>(inventory.nodes.size());
            record.threads = threads;
            record.device = device;
            report::write_run_record(folder / report::run_record_name, record);
        }
    });
}

/// The same on all ranks.
int exit_code(const mpi::Communicator& world, const PreparedJob& job, const Tally& tally) {
    const auto made = world.max(tally.made);
    const auto failed = world.max(tally.failed);
    if (made + failed < static_cast<std::int64_t>(job.remaining.size())) {
        log::info("stopped early with {} prompts left; the same command goes on",
                  static_cast<std::int64_t>(job.remaining.size()) - made - failed);
        return static_cast<int>(ErrorKind::stopped);
    }
    return failed > 0 ? some_prompts_failed : 0;
}

}  // namespace

int run_command(const std::vector<std::string>& arguments, const mpi::Session& session) {
    const Stopwatch watch;
    StartTimes start{.program_seconds = process_age_seconds() - session.start_seconds(),
                     .mpi_seconds = session.start_seconds()};
    const auto& world = session.world();
    const auto options = read_options(world, arguments);
    if (options.help) {
        if (world.rank() == 0) {
            std::cout << jobs::job_help(known_names());
        }
        return 0;
    }
    start_log(world, options.log);
    RunTrace trace(world, options.log.trace);
    const StopSignal stop;
    const auto device = choose_device(world, options.model.device);
    const topology::Inventory inventory = find_hardware(world, device);
    const int threads = set_compute_threads(world);
    const Stopwatch opening;
    ModelSource model(options.model.store,
                      world,
                      {.dtype = options.model.dtype,
                       .device = device,
                       .load = options.load,
                       .recorder = trace.recorder()});
    start.index_seconds = opening.seconds();
    const PreparedJob job = prepare_job(world, options, model.file(), model.spec());
    const PlacedLayout placed = choose_layout(world, inventory, options, job, model);
    const parallel::ProcessGrid grid(world, placed.layout, placed.ranks);
    log::info(
        "{}",
        prospect(
            job, world.size(), layout_text(placed.layout, world.size()), threads, device.str()));

    const std::string model_key = job.maker.checksum + ' ' + job.maker.dtype;
    const TaskPlaces places{.outputs = journal::OutputStore(options.output.dir),
                            .texts = {options.output.dir / "conditioning", model_key},
                            .model_key = model_key};
    RunResult result;
    if (!job.remaining.empty()) {
        result = make_videos(Crew(world, grid), model, options, job, places, start);
    }
    mpi::together(world, [&] {
        if (world.rank() == 0) {
            tidy_up(options, job, places, result.tally);
        }
    });
    result.times.total_seconds = watch.seconds();
    const Totals totals = gather_totals(world, model.totals(), device, result.received_bytes);
    keep_record(record_of(result.tally, result.times, totals, placed.layout),
                world,
                inventory,
                threads,
                device.str(),
                places.outputs.folder());
    log::info("{}", summary_text(result.tally, result.times, result.shares, totals));
    trace.finish();
    return exit_code(world, job, result.tally);
}

}  // namespace reelyard::cli
