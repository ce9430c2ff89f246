#include "chart.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "reelyard/base/format.hpp"

namespace reelyard::report {
namespace {

constexpr double width = 640.0;
constexpr double height = 420.0;
constexpr double left = 80.0;
constexpr double right = 20.0;
constexpr double top = 40.0;
constexpr double bottom = 60.0;
// Told apart also by those who see colours differently (Okabe and Ito).
constexpr std::array colours{"#999999", "#0072b2", "#d55e00", "#009e73"};

/// From exponents of 2 to places on the paper.
struct Axis {
    int least = std::numeric_limits<int>::max();
    int most = std::numeric_limits<int>::lowest();

    void include(double value) {
        least = std::min(least, static_cast<int>(std::floor(std::log2(value))));
        most = std::max(most, static_cast<int>(std::ceil(std::log2(value))));
    }
    [[nodiscard]] double share(double value) const {
        return (std::log2(value) - least) / std::max(1, most - least);
    }
};

struct Paper {
    Axis x;
    Axis y;

    [[nodiscard]] double across(double value) const {
        return left + x.share(value) * (width - left - right);
    }
    [[nodiscard]] double down(double value) const {
        return height - bottom - y.share(value) * (height - top - bottom);
    }
};

bool is_drawn(const ChartPoint& point) {
    return point.x > 0.0 && point.y > 0.0;
}

std::string escaped(const std::string& text) {
    std::string safe;
    for (const char letter : text) {
        switch (letter) {
            case '&':
                safe += "&amp;";
                break;
            case '<':
                safe += "&lt;";
                break;
            case '>':
                safe += "&gt;";
                break;
            default:
                safe += letter;
        }
    }
    return safe;
}

std::string text_at(double x, double y, const std::string& anchor, const std::string& text) {
    return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n",
                       x,
                       y,
                       anchor,
                       escaped(text));
}

std::string line(double x1, double y1, double x2, double y2) {
    return fmt::format(
        "<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#dddddd\"/>\n",
        x1,
        y1,
        x2,
        y2);
}

std::string grid(const Paper& paper) {
    std::string lines;
    for (int exponent = paper.x.least; exponent <= paper.x.most; ++exponent) {
        const double value = std::exp2(exponent);
        const double at = paper.across(value);
        lines += line(at, top, at, height - bottom);
        lines += text_at(at, height - bottom + 18.0, "middle", fmt::format("{:g}", value));
    }
    for (int exponent = paper.y.least; exponent <= paper.y.most; ++exponent) {
        const double value = std::exp2(exponent);
        const double at = paper.down(value);
        lines += line(left, at, width - right, at);
        lines += text_at(left - 8.0, at + 4.0, "end", fmt::format("{:.3g}", value));
    }
    return lines;
}

std::string drawn(const Curve& curve, const Paper& paper, const char* colour) {
    std::string path;
    std::string marks;
    for (const ChartPoint& point : curve.points) {
        if (!is_drawn(point)) {
            continue;
        }
        const double x = paper.across(point.x);
        const double y = paper.down(point.y);
        path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : " L", x, y);
        marks += fmt::format(
            "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\"/>\n", x, y, colour);
    }
    return fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"{}/>\n",
                       path,
                       colour,
                       curve.is_dashed ? " stroke-dasharray=\"6 5\"" : "") +
           (curve.is_dashed ? "" : marks);
}

}  // namespace

std::string log_chart(const ChartLabels& labels, const std::vector<Curve>& curves) {
    Paper paper;
    for (const Curve& curve : curves) {
        for (const ChartPoint& point : curve.points) {
            if (is_drawn(point)) {
                paper.x.include(point.x);
                paper.y.include(point.y);
            }
        }
    }
    std::string picture = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} "
        "{1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        width,
        height);
    picture += text_at(width / 2.0, 22.0, "middle", labels.title);
    picture += text_at(width / 2.0, height - 14.0, "middle", labels.x_name);
    picture += fmt::format("<g transform=\"translate(20 {}) rotate(-90)\">", height / 2.0) +
               text_at(0.0, 0.0, "middle", labels.y_name) + "</g>\n";
    if (paper.x.least <= paper.x.most) {
        picture += grid(paper);
        for (std::size_t i = 0; i < curves.size(); ++i) {
            const char* colour = colours[i % colours.size()];
            picture += drawn(curves[i], paper, colour);
            picture += fmt::format("<g fill=\"{}\">", colour) +
                       text_at(left + 12.0,
                               top + 18.0 + 16.0 * static_cast<double>(i),
                               "start",
                               curves[i].name) +
                       "</g>\n";
        }
    }
    return picture + "</svg>\n";
}

}  // namespace reelyard::report
