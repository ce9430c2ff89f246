#pragma once

#include <string>
#include <vector>

#include "reelyard/plan/step_exchange.hpp"

namespace reelyard::cli {

/// A layout that was chosen, and all that is said of it.
struct PlanReport {
    std::string model;  ///< its name
    ModelSpec spec;
    std::string video;  ///< the largest, "832x480, 81 frames"
    plan::Workload workload;
    topology::Inventory inventory;  ///< with ranks, as they are numbered
    std::vector<int> placement;     ///< the rank at each place of the layout
    plan::LayoutChoice choice;
    plan::RankMemory memory;  ///< of the rank that holds most
    plan::StepExchange exchange;
};

/// For people: numbers, a picture of the grid, a table of what is exchanged.
[[nodiscard]] std::string to_text(const PlanReport& report);

/// For programs.
[[nodiscard]] std::string to_json(const PlanReport& report);

}  // namespace reelyard::cli
