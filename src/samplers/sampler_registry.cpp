#include <algorithm>
#include <array>
#include <cmath>
#include <span>

#include "reelyard/base/error.hpp"
#include "reelyard/samplers/sampler.hpp"

#include "dpmpp.hpp"
#include "euler.hpp"
#include "sigma_schedule.hpp"
#include "unipc.hpp"

namespace reelyard::samplers {
namespace {

struct SamplerEntry {
    std::string_view name;
    std::unique_ptr<Sampler> (*make)(const ScheduleOptions& options, SigmaSchedule kind);
};

/// All samplers; the first is the default of the command line.
constexpr std::array samplers{
    SamplerEntry{"unipc", make_unipc},
    SamplerEntry{"dpmpp", make_dpmpp},
    SamplerEntry{"euler", make_euler},
};

struct ScheduleEntry {
    std::string_view name;
    SigmaSchedule kind;
};

constexpr std::array schedules{
    ScheduleEntry{"official", SigmaSchedule::official},
    ScheduleEntry{"diffusers", SigmaSchedule::diffusers},
    ScheduleEntry{"karras", SigmaSchedule::karras},
};

/// The training of flow models knows this many levels; more steps cannot be told apart by the
/// model.
constexpr std::int64_t most_steps = 1000;

template <typename Entry>
std::vector<std::string> names_of(std::span<const Entry> entries) {
    std::vector<std::string> names;
    for (const Entry& entry : entries) {
        names.emplace_back(entry.name);
    }
    return names;
}

template <typename Entry>
const Entry& find_named(std::span<const Entry> entries,
                        std::string_view what,
                        std::string_view name) {
    const auto found = std::ranges::find(entries, name, &Entry::name);
    require(found != entries.end(),
            ErrorKind::usage,
            "{}: found '{}' (expected one of {})",
            what,
            name,
            fmt::join(names_of(entries), ", "));
    return *found;
}

}  // namespace

std::unique_ptr<Sampler> make_sampler(std::string_view name, const ScheduleOptions& options) {
    const SamplerEntry& sampler =
        find_named(std::span<const SamplerEntry>(samplers), "sampler", name);
    const ScheduleEntry& schedule = find_named(
        std::span<const ScheduleEntry>(schedules), "sigma_schedule", options.sigma_schedule);
    require(options.steps >= 1 && options.steps <= most_steps,
            ErrorKind::usage,
            "steps: found {} (expected 1 to {})",
            options.steps,
            most_steps);
    require(std::isfinite(options.flow_shift) && options.flow_shift > 0.0,
            ErrorKind::usage,
            "flow_shift: found {} (expected a positive number)",
            options.flow_shift);
    return sampler.make(options, schedule.kind);
}

std::vector<std::string> sampler_names() {
    return names_of(std::span<const SamplerEntry>(samplers));
}

std::vector<std::string> sigma_schedule_names() {
    return names_of(std::span<const ScheduleEntry>(schedules));
}

}  // namespace reelyard::samplers
