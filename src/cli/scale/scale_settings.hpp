#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace reelyard::cli {

/// What `reelyard scale` is asked for.
struct ScaleSettings {
    std::string job;
    std::vector<int> ranks;    ///< to run on, ascending
    std::vector<int> predict;  ///< to predict for, ascending, none of them in `ranks`
    std::string launcher;
    std::filesystem::path folder;
    std::filesystem::path topology;        ///< to predict for; empty: more nodes like this one
    int ranks_per_node = 0;                ///< of what is predicted; 0: what is usual there
    std::optional<double> compute_factor;  ///< speed of a rank there, in ranks here
    std::vector<std::string> passed_on;    ///< options of `run`
    bool help = false;

    /// The arguments of `run` on so many ranks, but for where its outputs go.
    [[nodiscard]] std::vector<std::string> arguments_of_run(int count) const;
};

/// \throws Error (usage)
[[nodiscard]] ScaleSettings parse_scale_settings(const std::vector<std::string>& arguments);

/// The text of `reelyard scale --help`.
[[nodiscard]] std::string scale_settings_help();

}  // namespace reelyard::cli
