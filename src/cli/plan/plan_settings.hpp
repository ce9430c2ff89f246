#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "reelyard/jobs/job_options.hpp"

namespace reelyard::cli {

/// What `reelyard plan` is asked for.
struct PlanSettings {
    std::string model;               ///< of known_model_names(), or empty
    std::filesystem::path topology;  ///< empty: the hardware that is here
    int nodes = 0;                   ///< 0: those of the topology
    int ranks_per_node = 0;          ///< 0: one for each GPU or NUMA domain
    bool json = false;
    bool help = false;
    jobs::JobOptions job;
};

/// Its own options, and all keys of a job file. \throws Error (usage, input)
[[nodiscard]] PlanSettings parse_plan_settings(const std::vector<std::string>& arguments);

/// The text of `reelyard plan --help`.
[[nodiscard]] std::string plan_settings_help();

}  // namespace reelyard::cli
