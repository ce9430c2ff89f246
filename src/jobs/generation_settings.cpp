#include "reelyard/jobs/generation_settings.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include "reelyard/base/error.hpp"

#include "parsing/value_text.hpp"

namespace reelyard::jobs {
namespace {

constexpr std::int64_t most_steps = 1000;  // the noise levels that the models are trained on

using Expected = std::optional<std::string>;
using Setter =
    std::function<Expected(GenerationSettings&, std::string_view text, const KnownNames&)>;

Expected set_seed(GenerationSettings& settings, std::string_view text) {
    const auto value = parse_unsigned(text);
    if (!value) {
        return "a whole number from 0 to 18446744073709551615";
    }
    settings.seed = *value;
    return std::nullopt;
}

Expected set_size(GenerationSettings& settings, std::string_view text) {
    const auto value = parse_size(text);
    if (!value) {
        return "width x height in pixels, like 832x480";
    }
    settings.size = *value;
    return std::nullopt;
}

Expected set_frames(GenerationSettings& settings, std::string_view text) {
    const auto value = parse_integer(text);
    if (!value || *value < 1) {
        return "a whole number, 1 or more";
    }
    settings.frames = *value;
    return std::nullopt;
}

Expected set_steps(GenerationSettings& settings, std::string_view text) {
    const auto value = parse_integer(text);
    if (!value || *value < 1 || *value > most_steps) {
        return fmt::format("a whole number from 1 to {}", most_steps);
    }
    settings.steps = *value;
    return std::nullopt;
}

Expected set_guidance_scale(GenerationSettings& settings, std::string_view text) {
    const auto value = parse_number(text);
    if (!value || *value < 0.0) {
        return "a number, 0 or more";
    }
    settings.guidance_scale = *value;
    return std::nullopt;
}

Expected set_flow_shift(GenerationSettings& settings, std::string_view text) {
    const auto value = parse_number(text);
    if (!value || *value <= 0.0) {
        return "a number above 0";
    }
    settings.flow_shift = *value;
    return std::nullopt;
}

Expected set_name(std::optional<std::string>& target,
                  std::string_view text,
                  const std::vector<std::string>& names) {
    if (std::find(names.begin(), names.end(), text) == names.end()) {
        return fmt::format("one of {}", fmt::join(names, ", "));
    }
    target = std::string(text);
    return std::nullopt;
}

Expected set_negative_prompt(GenerationSettings& settings, std::string_view text) {
    if (text.find('\0') != std::string_view::npos) {
        return "text without zero bytes";
    }
    settings.negative_prompt = std::string(text);
    return std::nullopt;
}

template <Expected (*set)(GenerationSettings&, std::string_view)>
Expected without_names(GenerationSettings& settings, std::string_view text, const KnownNames&) {
    return set(settings, text);
}

const std::map<std::string, Setter, std::less<>>& setters() {
    static const std::map<std::string, Setter, std::less<>> table{
        {"negative_prompt", without_names<set_negative_prompt>},
        {"size", without_names<set_size>},
        {"frames", without_names<set_frames>},
        {"steps", without_names<set_steps>},
        {"guidance_scale", without_names<set_guidance_scale>},
        {"flow_shift", without_names<set_flow_shift>},
        {"seed", without_names<set_seed>},
        {"sampler",
         [](auto& settings, auto text, const auto& names) {
             return set_name(settings.sampler, text, names.samplers);
         }},
        {"sigma_schedule",
         [](auto& settings, auto text, const auto& names) {
             return set_name(settings.sigma_schedule, text, names.sigma_schedules);
         }},
    };
    return table;
}

template <typename Value>
void put_over(std::optional<Value>& base, const std::optional<Value>& over) {
    if (over) {
        base = over;
    }
}

}  // namespace

const std::vector<GenerationKey>& generation_keys() {
    static const std::vector<GenerationKey> keys{
        {.name = "negative_prompt", .kind = ValueKind::text},
        {.name = "size", .kind = ValueKind::text},
        {.name = "frames", .kind = ValueKind::number},
        {.name = "steps", .kind = ValueKind::number},
        {.name = "guidance_scale", .kind = ValueKind::number},
        {.name = "flow_shift", .kind = ValueKind::number},
        {.name = "sampler", .kind = ValueKind::text},
        {.name = "sigma_schedule", .kind = ValueKind::text},
        {.name = "seed", .kind = ValueKind::number},
    };
    return keys;
}

std::optional<std::string> set_from_text(GenerationSettings& settings,
                                         std::string_view key,
                                         std::string_view text,
                                         const KnownNames& names) {
    const auto setter = setters().find(key);
    REELYARD_EXPECT(setter != setters().end());
    return setter->second(settings, text, names);
}

GenerationSettings overlay(GenerationSettings base, const GenerationSettings& over) {
    put_over(base.negative_prompt, over.negative_prompt);
    put_over(base.size, over.size);
    put_over(base.frames, over.frames);
    put_over(base.steps, over.steps);
    put_over(base.guidance_scale, over.guidance_scale);
    put_over(base.flow_shift, over.flow_shift);
    put_over(base.sampler, over.sampler);
    put_over(base.sigma_schedule, over.sigma_schedule);
    put_over(base.seed, over.seed);
    return base;
}

}  // namespace reelyard::jobs
