#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reelyard/jobs/generation_settings.hpp"
#include "reelyard/spec/model_spec.hpp"

namespace reelyard::jobs {

/// What `model` cannot make of `settings`: pairs of key and text, the text naming the nearest
/// values that it can.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> model_problems(
    const GenerationSettings& settings, const ModelSpec& model);

}  // namespace reelyard::jobs
