#include "prediction.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/jobs/prompt_list.hpp"
#include "reelyard/jobs/task_list.hpp"
#include "reelyard/pipeline/denoise_stage.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/topology/placement.hpp"

#include "../run/layout.hpp"
#include "../run/prepared_job.hpp"

namespace reelyard::cli {
namespace {

constexpr const char* on_cores = "cpu";
constexpr const char* on_gpus = "cuda";

bool has_steps(const report::RunRecord& run) {
    return run.step_seconds() > 0.0;
}

/// The run on most ranks that has made steps: the one that is most like what is predicted.
const report::RunRecord& last_with_steps(const std::vector<report::RunRecord>& runs) {
    const auto found = std::find_if(runs.rbegin(), runs.rend(), has_steps);
    require(found != runs.rend(),
            ErrorKind::input,
            "scale: no run has made a denoising step (expected one at least, to predict from)");
    return *found;
}

bool is_on_gpus(const report::RunRecord& run) {
    return run.device != on_cores;
}

/// Whether a rank of one computes as fast as a rank of the other.
bool are_alike(const report::RunRecord& a, const report::RunRecord& b) {
    return is_on_gpus(a) == is_on_gpus(b) && (is_on_gpus(a) || a.threads == b.threads);
}

int ranks_of_a_node(const report::RunRecord& run) {
    return (run.ranks + run.nodes - 1) / run.nodes;
}

/// The steps of a job, those that are alike together.
std::vector<plan::StepKind> steps_of(const std::vector<Task>& tasks,
                                     const ModelSpec& model,
                                     const jobs::JobOptions& job) {
    std::map<std::pair<std::int64_t, plan::Guidance>, double> counts;
    for (const Task& task : tasks) {
        const plan::Workload alone = workload_of({task}, model, job);
        counts[{alone.tokens, alone.guidance}] += static_cast<double>(task.steps);
    }
    std::vector<plan::StepKind> steps;
    steps.reserve(counts.size());
    for (const auto& [kind, count] : counts) {
        steps.push_back({.tokens = kind.first, .guidance = kind.second, .count = count});
    }
    return steps;
}

ModelSpec model_of(const std::filesystem::path& path, const mpi::Communicator& alone) {
    const auto store = store::StoreFile::open(path, alone);
    return models::family_of(store.config()).describe(store.config());
}

}  // namespace

Prediction::Prediction(const ScaleSettings& settings, const mpi::Communicator& alone)
    : settings_(settings)
    , source_(
          jobs::read_job(settings.arguments_of_run(settings.predict.front()), known_names()).model)
    , here_(Machine::here(alone, source_))
    , model_(model_of(source_.store, alone)) {
    if (!settings.topology.empty()) {
        described_ = Machine::described_by(settings.topology, source_);
    }
    for (const int ranks : settings.predict) {
        (void)as_chosen(ranks, ranks_per_node(settings.ranks.back()));
    }
}

jobs::JobOptions Prediction::job_for(int ranks) const {
    return jobs::read_job(settings_.arguments_of_run(ranks), known_names());
}

Prediction::Case Prediction::unplaced(const jobs::JobOptions& job,
                                      topology::Inventory inventory) const {
    const auto names = known_names();
    const std::vector<Task> tasks =
        jobs::make_tasks(jobs::read_prompt_list(job.prompts, names), job, model_, names);
    return {.inventory = std::move(inventory),
            .workload = workload_of(tasks, model_, job),
            .steps = steps_of(tasks, model_, job),
            .layout = {}};
}

Prediction::Case Prediction::as_run(const report::RunRecord& run) const {
    Case found = unplaced(job_for(run.ranks), here_.with_ranks(run.ranks, ranks_of_a_node(run)));
    found.layout = run.layout;
    found.inventory =
        in_order(found.inventory, topology::place_ranks(found.inventory, found.layout));
    return found;
}

Prediction::Case Prediction::as_chosen(int ranks, int per_node) const {
    const jobs::JobOptions job = job_for(ranks);
    Case chosen = unplaced(job, machine().with_known_links(ranks, per_node));
    chosen.layout = plan::choose_layout(site_of(chosen), wish_of(job)).layout;
    chosen.layout.shard_weights =
        chosen.layout.shard_weights && chosen.layout.same_weights_size() > 1;
    chosen.inventory =
        in_order(chosen.inventory, topology::place_ranks(chosen.inventory, chosen.layout));
    return chosen;
}

int Prediction::ranks_per_node(int usual_here) const {
    if (settings_.ranks_per_node > 0) {
        return settings_.ranks_per_node;
    }
    return described_ || here_.has_gpus() ? machine().usual_ranks_per_node() : usual_here;
}

plan::Site Prediction::site_of(const Case& job) const {
    return {.model = model_, .inventory = job.inventory, .workload = job.workload};
}

plan::StepCost Prediction::cost_of(const Case& job) const {
    return plan::cost_of_step(site_of(job), job.steps, job.layout);
}

std::int64_t Prediction::memory_of(const Case& job) const {
    return plan::most_memory(model_, job.workload, job.layout).total();
}

double Prediction::network_seconds(int nodes, DType compute) const {
    if (nodes == 1 || machine().network_gb_per_s() <= 0.0) {
        return 0.0;
    }
    constexpr double giga = 1e9;
    std::int64_t bytes = 0;
    for (const char* component : {"transformer", "vae"}) {
        bytes += plan::weight_bytes(model_.component(component), compute, {});
    }
    const double from_others = static_cast<double>(bytes) * (nodes - 1) / nodes;
    return from_others / (machine().network_gb_per_s() * giga);
}

plan::MachineSpeed Prediction::speed_from(const std::vector<report::RunRecord>& runs) const {
    const report::RunRecord& last = last_with_steps(runs);
    std::vector<plan::MeasuredStep> steps;
    for (const report::RunRecord& run : runs) {
        if (has_steps(run) && are_alike(run, last)) {
            steps.push_back({.cost = cost_of(as_run(run)), .seconds = run.step_seconds()});
        }
    }
    plan::MachineSpeed speed = plan::fit_speed(steps);
    if (described_) {
        speed.measured_links.clear();
    }
    speed.multiply_add_seconds /= settings_.compute_factor.value_or(1.0);
    log::info("predicted from {} of {} runs (those whose ranks compute as the last one's), for {}",
              steps.size(),
              runs.size(),
              machine().name());
    if (!speed.measured_links.empty()) {
        log::info("exchange took {:.2f} times what the speeds of the links here say",
                  speed.exchange_factor);
    }
    return speed;
}

void Prediction::check_devices(const report::RunRecord& run, const Case& job) const {
    require(is_on_gpus(run) == job.is_on_gpus() || settings_.compute_factor,
            ErrorKind::usage,
            "scale: the runs computed on {}, the ranks of {} would on {} (expected "
            "--compute-factor: how many times as fast one of those computes)",
            run.device,
            machine().name(),
            job.is_on_gpus() ? "GPUs" : "cores");
}

report::ScalingRows Prediction::rows(const std::vector<report::RunRecord>& runs) const {
    const plan::MachineSpeed speed = speed_from(runs);
    const report::RunRecord& last = last_with_steps(runs);
    const Case last_case = as_run(last);
    report::ScalingRows rows;
    for (const int ranks : settings_.predict) {
        const Case job = as_chosen(ranks, ranks_per_node(ranks_of_a_node(last)));
        check_devices(last, job);
        const auto tightest =
            plan::tightest_memory(model_, job.workload, job.layout, job.inventory);
        if (!tightest.fits()) {
            log::warning("{} ranks: the layout may not fit in memory: {}",
                         ranks,
                         plan::memory_text(tightest));
        }
        const plan::StepCost cost = cost_of(job);
        const DType compute = job.workload.compute;
        const double to_nodes =
            network_seconds(job.nodes(), compute) - network_seconds(last.nodes, compute);
        // What a rank holds besides weights and activations: the program, what decoding takes.
        const bool is_kept = is_on_gpus(last) == job.is_on_gpus();
        const std::int64_t rest =
            is_kept ? std::max<std::int64_t>(last.peak_bytes - memory_of(last_case), 0) : 0;
        rows.push_back({.source = report::ScalingRow::Source::predicted,
                        .ranks = ranks,
                        .layout = job.layout,
                        .device = job.is_on_gpus() ? on_gpus : on_cores,
                        .threads = last.threads,
                        .creation_seconds = last.creation_seconds + std::max(to_nodes, 0.0),
                        .step_seconds = speed.step_seconds(cost),
                        .received_bytes = cost.received_bytes,
                        .peak_bytes = memory_of(job) + rest});
    }
    return rows;
}

}  // namespace reelyard::cli
