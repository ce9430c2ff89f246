#pragma once

#include <string>
#include <vector>

#include "load_figures.hpp"

namespace reelyard::cli {

/// The figures of all ranks as a table for people.
[[nodiscard]] std::string load_figures_table(const LoadSetup& setup,
                                             const std::vector<RankFigures>& ranks);

}  // namespace reelyard::cli
