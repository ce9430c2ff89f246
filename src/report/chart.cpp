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

bool is_drawn(const Curve& curve) {
    return std::any_of(curve.points.begin(), curve.points.end(), [](const ChartPoint& point) {
        return is_drawn(point);
    });
}

/// A curve through places on the paper.
std::string path(const std::string& places, Stroke stroke, const char* colour) {
    const char* dashes = stroke == Stroke::dotted ? " stroke-width=\"1.5\" stroke-dasharray=\"2 4\""
                         : stroke == Stroke::dashed ? " stroke-width=\"2\" stroke-dasharray=\"7 5\""
                                                    : " stroke-width=\"2\"";
    return fmt::format("<path d=\"M{}\" fill=\"none\" stroke=\"{}\"{}/>\n", places, colour, dashes);
}

std::string mark(double x, double y, Stroke stroke, const char* colour) {
    if (stroke == Stroke::dotted) {
        return {};
    }
    return fmt::format(
        "<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\" stroke=\"{}\" "
        "stroke-width=\"2\"/>\n",
        x,
        y,
        stroke == Stroke::solid ? colour : "white",
        colour);
}

std::string drawn(const Curve& curve, const Paper& paper, const char* colour) {
    std::string places;
    std::string marks;
    if (curve.origin && is_drawn(*curve.origin)) {
        places = fmt::format(
            "{:.1f} {:.1f}", paper.across(curve.origin->x), paper.down(curve.origin->y));
    }
    for (const ChartPoint& point : curve.points) {
        if (!is_drawn(point)) {
            continue;
        }
        const double x = paper.across(point.x);
        const double y = paper.down(point.y);
        places += fmt::format("{}{:.1f} {:.1f}", places.empty() ? "" : " L", x, y);
        marks += mark(x, y, curve.stroke, colour);
    }
    return path(places, curve.stroke, colour) + marks;
}

/// A piece of the curve, and its name beside it.
std::string legend(const Curve& curve, double y, const char* colour) {
    constexpr double begin = left + 12.0;
    constexpr double length = 32.0;
    return "<g class=\"legend\">" +
           path(fmt::format("{:.1f} {:.1f} L{:.1f} {:.1f}", begin, y, begin + length, y),
                curve.stroke,
                colour) +
           mark(begin + length / 2.0, y, curve.stroke, colour) +
           text_at(begin + length + 8.0, y + 4.0, "start", curve.name) + "</g>\n";
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
        std::size_t number = 0;
        for (const Curve& curve : curves) {
            if (is_drawn(curve)) {
                const char* colour = colours[number % colours.size()];
                picture += drawn(curve, paper, colour);
                picture += legend(curve, top + 16.0 + 18.0 * static_cast<double>(number), colour);
                ++number;
            }
        }
    }
    return picture + "</svg>\n";
}

}  // namespace reelyard::report
