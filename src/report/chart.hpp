#pragma once

#include <string>
#include <vector>

namespace reelyard::report {

struct ChartPoint {
    double x = 0.0;
    double y = 0.0;
};

struct Curve {
    std::string name;
    bool is_dashed = false;
    std::vector<ChartPoint> points;  ///< ascending x, all values above 0
};

struct ChartLabels {
    std::string title;
    std::string x_name;
    std::string y_name;
};

/// A picture (SVG) of curves with both axes logarithmic to the base 2; a mark at every point.
/// Values that are not above 0 are left out.
[[nodiscard]] std::string log_chart(const ChartLabels& labels, const std::vector<Curve>& curves);

}  // namespace reelyard::report
