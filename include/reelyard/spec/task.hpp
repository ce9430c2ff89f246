#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reelyard/spec/video_size.hpp"

namespace reelyard {

/// All that decides the pixels of one video, given the model and its compute type.
struct Task {
    std::string id = {};  ///< unique in the job, a file name without dots
    std::string prompt = {};
    std::string negative_prompt = {};
    std::uint64_t seed = 0;
    VideoSize size = {};
    std::int64_t steps = 0;
    double guidance_scale = 0.0;
    double flow_shift = 0.0;
    std::string sampler = {};         ///< "unipc", "dpmpp", "euler"
    std::string sigma_schedule = {};  ///< "official", "diffusers", "karras"

    friend bool operator==(const Task&, const Task&) = default;
};

/// The task as one line of JSON, keys sorted; the inverse is task_from_json().
[[nodiscard]] std::string to_json(const Task& task);

/// \throws Error (internal) when the text was not made by to_json()
[[nodiscard]] Task task_from_json(const std::string& text);

/// A relative estimate of what a task costs: steps x guidance branches x tokens, with attention's
/// share growing in the tokens. Used to start the longest first.
[[nodiscard]] double relative_cost(const Task& task);

}  // namespace reelyard
