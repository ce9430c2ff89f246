#include "plan.hpp"

#include <algorithm>
#include <iostream>

#include "reelyard/base/error.hpp"
#include "reelyard/jobs/prompt_list.hpp"
#include "reelyard/jobs/task_list.hpp"
#include "reelyard/models/model_family.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/topology/gather_inventory.hpp"
#include "reelyard/topology/placement.hpp"

#include "../plan/known_models.hpp"
#include "../plan/plan_report.hpp"
#include "../plan/plan_settings.hpp"
#include "../run/layout.hpp"
#include "../run/prepared_job.hpp"

namespace reelyard::cli {
namespace {

/// What is to be made: the job's prompts, or one video as the job and the model describe it.
std::vector<Task> tasks_of(const PlanSettings& settings, const ModelSpec& model) {
    const auto names = known_names();
    if (!settings.job.prompts.empty()) {
        return jobs::make_tasks(
            jobs::read_prompt_list(settings.job.prompts, names), settings.job, model, names);
    }
    jobs::PromptList list;
    list.prompts.push_back({.line = 1, .id = "any", .text = "any", .settings = {}});
    return jobs::make_tasks(list, settings.job, model, names);
}

const VideoSize& largest(const std::vector<Task>& tasks, const ModelSpec& model) {
    return std::max_element(tasks.begin(),
                            tasks.end(),
                            [&](const Task& a, const Task& b) {
                                return model.tokens_of(a.size) < model.tokens_of(b.size);
                            })
        ->size;
}

/// The hardware to plan for, with ranks: those that run, or those that might.
topology::Inventory hardware_of(const PlanSettings& settings, const mpi::Communicator& world) {
    topology::Inventory inventory;
    if (settings.topology.empty()) {
        inventory = topology::gather_inventory(world);
    } else {
        mpi::together(world,
                      [&] { inventory = topology::read_inventory(settings.topology.string()); });
    }
    if (settings.nodes > 0) {
        inventory = topology::with_nodes(inventory, settings.nodes);
    }
    const bool is_running = settings.topology.empty() && world.size() > 1;
    const bool is_changed = settings.nodes > 0 || settings.ranks_per_node > 0;
    if (inventory.ranks.empty() || is_changed || !is_running) {
        inventory = topology::with_ranks(inventory, settings.ranks_per_node);
    }
    return inventory;
}

/// What there is to plan.
struct Subject {
    std::string name;  ///< of the model
    ModelSpec model;
    topology::Inventory inventory;
};

PlanReport make_report(const PlanSettings& settings, const Subject& subject) {
    const auto& [name, model, inventory] = subject;
    const std::vector<Task> tasks = tasks_of(settings, model);
    plan::Workload workload = workload_of(tasks, model, settings.job);
    if (settings.job.prompts.empty()) {
        workload.videos = 0;
    }
    const plan::LayoutChoice choice = plan::choose_layout(
        {.model = model, .inventory = inventory, .workload = workload}, wish_of(settings.job));
    tell_of_sequence_batch(settings.job, choice.layout);
    const std::vector<int> placement = topology::place_ranks(inventory, choice.layout);
    const topology::Inventory placed = in_order(inventory, placement);
    const plan::Site site{.model = model, .inventory = placed, .workload = workload};
    PlanReport report{.model = name,
                      .spec = model,
                      .video = to_string(largest(tasks, model)),
                      .workload = workload,
                      .inventory = inventory,
                      .placement = placement,
                      .choice = choice,
                      .memory = plan::most_memory(model, workload, choice.layout),
                      .exchange = plan::exchange_of_step(site, choice.layout)};
    report.choice.memory = plan::tightest_memory(model, workload, choice.layout, placed);
    return report;
}

void print(const PlanSettings& settings, const PlanReport& report) {
    std::cout << (settings.json ? to_json(report) : to_text(report));
    std::cout.flush();
    const plan::Site site{
        .model = report.spec, .inventory = report.inventory, .workload = report.workload};
    require(report.choice.memory.fits(),
            ErrorKind::resources,
            "the layout does not fit in memory{}",
            plan::nearest_text(site, report.choice.layout));
}

}  // namespace

int plan_command(const std::vector<std::string>& arguments, const mpi::Session& session) {
    const auto& world = session.world();
    PlanSettings settings;
    mpi::together(world, [&] { settings = parse_plan_settings(arguments); });
    if (settings.help) {
        if (world.rank() == 0) {
            std::cout << plan_settings_help();
        }
        return 0;
    }
    Subject subject{.name = settings.model, .model = {}, .inventory = hardware_of(settings, world)};
    if (settings.model.empty()) {
        const auto store = store::StoreFile::open(settings.job.model.store, world);
        subject.name = settings.job.model.store.filename().string();
        subject.model = models::family_of(store.config()).describe(store.config());
    } else {
        subject.model = known_model(settings.model);
    }
    mpi::together(world, [&] {
        if (world.rank() == 0) {
            print(settings, make_report(settings, subject));
        }
    });
    return 0;
}

}  // namespace reelyard::cli
