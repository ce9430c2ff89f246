#pragma once

#include <optional>
#include <string>
#include <vector>

namespace reelyard::report {

struct ChartPoint {
    double x = 0.0;
    double y = 0.0;
};

/// How a curve is drawn.
enum class Stroke {
    dotted,  ///< thin and without marks
    solid,   ///< with full marks
    dashed,  ///< with hollow marks
};

struct Curve {
    std::string name;
    Stroke stroke = Stroke::solid;
    std::optional<ChartPoint> origin;  ///< where the line comes from; has no mark
    std::vector<ChartPoint> points;    ///< ascending x, all values above 0
};

struct ChartLabels {
    std::string title;
    std::string x_name;
    std::string y_name;
};

/// A picture (SVG) of curves with both axes logarithmic to the base 2, and a legend. Values that
/// are not above 0 are left out, and so are curves without others.
[[nodiscard]] std::string log_chart(const ChartLabels& labels, const std::vector<Curve>& curves);

}  // namespace reelyard::report
