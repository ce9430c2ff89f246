#include "spread.hpp"

#include <algorithm>
#include <cstddef>

#include "reelyard/base/error.hpp"

namespace reelyard::cli {

double median_of(std::vector<double> values) {
    REELYARD_EXPECT(!values.empty());
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2.0;
}

Spread spread_of(const std::vector<double>& values) {
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    return {.median = median_of(values), .minimum = *least, .maximum = *most};
}

}  // namespace reelyard::cli
