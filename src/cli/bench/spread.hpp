#pragma once

#include <vector>

namespace reelyard::cli {

/// What repeated measurements of one thing come to.
struct Spread {
    double median = 0.0;
    double minimum = 0.0;
    double maximum = 0.0;
};

/// \param values at least one
[[nodiscard]] double median_of(std::vector<double> values);

/// \param values at least one
[[nodiscard]] Spread spread_of(const std::vector<double>& values);

}  // namespace reelyard::cli
