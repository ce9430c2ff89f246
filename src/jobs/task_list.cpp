#include "reelyard/jobs/task_list.hpp"

#include <map>
#include <span>
#include <utility>

#include "reelyard/base/checksum.hpp"
#include "reelyard/base/error.hpp"

#include "model_limits.hpp"
#include "parsing/text_lines.hpp"

namespace reelyard::jobs {
namespace {

constexpr std::size_t id_digits = 16;  // of a hash as id

GenerationSettings settings_of_model(const ModelSpec& model, const KnownNames& names) {
    const auto& defaults = model.defaults;
    return {.negative_prompt = defaults.negative_prompt,
            .size = PixelSize{.width = defaults.width, .height = defaults.height},
            .frames = defaults.frames,
            .steps = defaults.steps,
            .guidance_scale = defaults.guidance_scale,
            .flow_shift = defaults.flow_shift,
            .sampler = names.samplers.at(0),
            .sigma_schedule = names.sigma_schedules.at(0),
            .seed = default_base_seed};
}

/// What is wrong with an id that is there already.
std::string doubled_id(const std::string& id,
                       bool made_from_content,
                       const std::string& other_id,
                       std::int64_t other_line) {
    if (made_from_content) {
        return fmt::format(
            "prompt, settings and seed are those of line {} (expected different "
            "videos); give it another seed, or both an 'id'",
            other_line);
    }
    if (id == other_id) {
        return fmt::format(
            "'id' is {}, as on line {} (expected each id once)", in_quotes(id), other_line);
    }
    return fmt::format(
        "'id' is {}, as {} on line {} but for case (expected ids that stay apart "
        "where file names have no case)",
        in_quotes(id),
        in_quotes(other_id),
        other_line);
}

/// Makes tasks one by one and keeps track of their ids.
class TaskMaker {
public:
    TaskMaker(const PromptList& list, GenerationSettings below, GenerationSettings above)
        : list_(list)
        , below_(std::move(below))
        , above_(std::move(above)) {
        base_seed_ = overlay(below_, above_).seed.value();
        // A seed on the command line is the base seed; it leaves a prompt its own.
        above_.seed.reset();
    }

    void add(const Prompt& prompt) {
        auto task = task_of(prompt);
        task.id = prompt.id.empty() ? id_from_content(task, prompt) : prompt.id;
        task.seed = prompt.settings.seed ? *prompt.settings.seed : derive_seed(base_seed_, task.id);
        const auto [other, is_new] = seen_.try_emplace(lower_case(task.id), task.id, prompt.line);
        if (!is_new) {
            const auto& [id, line] = other->second;
            problems_.push_back({{.file = list_.file.string(), .line = prompt.line},
                                 doubled_id(task.id, prompt.id.empty(), id, line)});
        }
        tasks_.push_back(std::move(task));
    }

    [[nodiscard]] std::vector<Problem> take_problems() { return std::move(problems_); }
    [[nodiscard]] std::vector<Task> take_tasks() { return std::move(tasks_); }

private:
    [[nodiscard]] Task task_of(const Prompt& prompt) const {
        const auto settings = overlay(overlay(below_, prompt.settings), above_);
        return {.id = {},
                .prompt = prompt.text,
                .negative_prompt = settings.negative_prompt.value(),
                .seed = settings.seed.value(),
                .size = {.width = settings.size->width,
                         .height = settings.size->height,
                         .frames = settings.frames.value()},
                .steps = settings.steps.value(),
                .guidance_scale = settings.guidance_scale.value(),
                .flow_shift = settings.flow_shift.value(),
                .sampler = settings.sampler.value(),
                .sigma_schedule = settings.sigma_schedule.value()};
    }

    /// A hash of all that decides the pixels. Repetitions that have no seed of their own are
    /// numbered, and so get other seeds.
    std::string id_from_content(Task task, const Prompt& prompt) {
        const bool own_seed = prompt.settings.seed.has_value();
        task.seed = own_seed ? *prompt.settings.seed : base_seed_;
        const auto content = to_json(task) + (own_seed ? "" : " base seed");
        const auto hash = content_hash(content).substr(0, id_digits);
        const auto repetition = ++repetitions_[hash];
        return own_seed || repetition == 1 ? hash : fmt::format("{}-{}", hash, repetition);
    }

    const PromptList& list_;
    GenerationSettings below_;
    GenerationSettings above_;
    std::uint64_t base_seed_ = 0;
    // By id in lower case: the id and its line.
    std::map<std::string, std::pair<std::string, std::int64_t>> seen_;
    std::map<std::string, std::int64_t> repetitions_;  // by hash
    std::vector<Task> tasks_;
    std::vector<Problem> problems_;
};

void check_layer(const GenerationLayer& layer,
                 const ModelSpec& model,
                 std::vector<Problem>& problems) {
    for (auto& [key, text] : model_problems(layer.settings, model)) {
        problems.push_back({layer.places.at(key), "[generate] " + text});
    }
}

void check_prompts(const PromptList& list, const ModelSpec& model, std::vector<Problem>& problems) {
    for (const auto& prompt : list.prompts) {
        for (auto& [key, text] : model_problems(prompt.settings, model)) {
            problems.push_back(
                {{.file = list.file.string(), .line = prompt.line}, std::move(text)});
        }
    }
}

}  // namespace

std::vector<Task> make_tasks(const PromptList& list,
                             const JobOptions& job,
                             const ModelSpec& model,
                             const KnownNames& names) {
    std::vector<Problem> problems;
    check_layer(job.generate_on_command_line, model, problems);
    check_layer(job.generate_in_job_file, model, problems);
    problems.insert(problems.end(), list.problems.begin(), list.problems.end());
    check_prompts(list, model, problems);

    TaskMaker maker(list,
                    overlay(settings_of_model(model, names), job.generate_in_job_file.settings),
                    job.generate_on_command_line.settings);
    for (const auto& prompt : list.prompts) {
        maker.add(prompt);
    }
    auto found = maker.take_problems();
    problems.insert(problems.end(), found.begin(), found.end());
    throw_problems(std::move(problems));
    return maker.take_tasks();
}

std::uint64_t derive_seed(std::uint64_t base_seed, std::string_view id) {
    constexpr std::uint64_t low_bits = 0xffffffff;
    const auto text = fmt::format("{}:{}", base_seed, id);
    return checksum(std::as_bytes(std::span(text))) & low_bits;
}

}  // namespace reelyard::jobs
