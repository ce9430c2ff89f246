#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reelyard::jobs {

/// Names that other modules register and that a job may choose from; the first of each is the
/// default.
struct KnownNames {
    std::vector<std::string> samplers;
    std::vector<std::string> sigma_schedules;
    std::vector<std::string> video_formats;
    std::vector<std::string> transports;  ///< ways to read weights
};

/// Width and height in pixels.
struct PixelSize {
    std::int64_t width = 0;
    std::int64_t height = 0;

    friend bool operator==(const PixelSize&, const PixelSize&) = default;
};

/// How videos are made, as far as one source (a prompt, the job file, the command line) says so.
struct GenerationSettings {
    std::optional<std::string> negative_prompt = {};
    std::optional<PixelSize> size = {};
    std::optional<std::int64_t> frames = {};
    std::optional<std::int64_t> steps = {};
    std::optional<double> guidance_scale = {};
    std::optional<double> flow_shift = {};
    std::optional<std::string> sampler = {};
    std::optional<std::string> sigma_schedule = {};
    std::optional<std::uint64_t> seed = {};

    friend bool operator==(const GenerationSettings&, const GenerationSettings&) = default;
};

/// What values a key takes.
enum class ValueKind { text, number };

/// A key of GenerationSettings: its name and what it is, for tables and messages.
struct GenerationKey {
    std::string name;
    ValueKind kind = ValueKind::text;
};

/// The keys in the order of the documentation.
[[nodiscard]] const std::vector<GenerationKey>& generation_keys();

/// Sets `key` from its text. \param key one of generation_keys() \returns what was expected when
/// the text is no such value (nothing is set then), else nothing
[[nodiscard]] std::optional<std::string> set_from_text(GenerationSettings& settings,
                                                       std::string_view key,
                                                       std::string_view text,
                                                       const KnownNames& names);

/// `base` with what `over` says put over it.
[[nodiscard]] GenerationSettings overlay(GenerationSettings base, const GenerationSettings& over);

}  // namespace reelyard::jobs
