#include "moving_shape.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <optional>
#include <span>
#include <vector>

namespace reelyard::cli {
namespace {

using Colour = std::array<double, 3>;

struct NamedColour {
    const char* name;
    Colour colour;
};

// As the demo model's training data is drawn (jobs/demo/train.py).
constexpr std::array shape_colours{NamedColour{"red", {255, 0, 0}},
                                   NamedColour{"green", {0, 200, 0}},
                                   NamedColour{"blue", {30, 60, 255}},
                                   NamedColour{"yellow", {255, 220, 0}},
                                   NamedColour{"purple", {160, 40, 220}},
                                   NamedColour{"white", {255, 255, 255}}};
constexpr std::array background_colours{NamedColour{"black", {0, 0, 0}},
                                        NamedColour{"gray", {105, 105, 105}},
                                        NamedColour{"brown", {115, 65, 25}}};

constexpr std::int64_t smallest_area = 20;  // pixels; less is no shape
constexpr double clear_difference = 76.0;   // sum over the channels

struct Point {
    double x = 0.0;
    double y = 0.0;
};

Colour colour_at(const media::FrameView& video, std::size_t pixel) {
    return {static_cast<double>(video.pixels[3 * pixel]),
            static_cast<double>(video.pixels[3 * pixel + 1]),
            static_cast<double>(video.pixels[3 * pixel + 2])};
}

double distance(const Colour& a, const Colour& b) {
    return std::abs(a[0] - b[0]) + std::abs(a[1] - b[1]) + std::abs(a[2] - b[2]);
}

const char* name_of(const Colour& colour, std::span<const NamedColour> table) {
    return std::min_element(table.begin(),
                            table.end(),
                            [&](const NamedColour& a, const NamedColour& b) {
                                return distance(a.colour, colour) < distance(b.colour, colour);
                            })
        ->name;
}

Colour median(std::vector<Colour> colours) {
    Colour result{};
    const auto middle = colours.begin() + static_cast<std::ptrdiff_t>(colours.size() / 2);
    for (std::size_t channel = 0; channel < 3; ++channel) {
        std::nth_element(
            colours.begin(), middle, colours.end(), [&](const Colour& a, const Colour& b) {
                return a[channel] < b[channel];
            });
        result[channel] = (*middle)[channel];
    }
    return result;
}

/// The median colour of the pixels least like the background; nothing when all are like it.
std::optional<Colour> colour_in_front(const std::vector<Colour>& colours, const Colour& behind) {
    double farthest = 0.0;
    for (const Colour& colour : colours) {
        farthest = std::max(farthest, distance(colour, behind));
    }
    std::vector<Colour> different;
    std::copy_if(
        colours.begin(), colours.end(), std::back_inserter(different), [&](const Colour& colour) {
            return distance(colour, behind) > std::max(clear_difference, 0.6 * farthest);
        });
    return different.empty() ? std::nullopt : std::optional(median(std::move(different)));
}

/// The centre of the shape in one frame; nothing when too little of it is seen.
std::optional<Point> centre(std::span<const Colour> frame,
                            std::int64_t width,
                            const Colour& front,
                            const Colour& behind) {
    Point sum;
    std::int64_t area = 0;
    for (std::size_t i = 0; i < frame.size(); ++i) {
        if (distance(frame[i], front) < distance(frame[i], behind)) {
            sum.x += static_cast<double>(static_cast<std::int64_t>(i) % width);
            sum.y += static_cast<double>(static_cast<std::int64_t>(i) / width);
            ++area;
        }
    }
    if (area < smallest_area) {
        return std::nullopt;
    }
    return Point{sum.x / static_cast<double>(area), sum.y / static_cast<double>(area)};
}

const char* direction(const std::vector<Point>& centres) {
    Point way;
    for (std::size_t i = 0; i < 3; ++i) {
        way.x += centres[centres.size() - 1 - i].x - centres[i].x;
        way.y += centres[centres.size() - 1 - i].y - centres[i].y;
    }
    if (std::abs(way.x) > std::abs(way.y)) {
        return way.x < 0 ? "left" : "right";
    }
    return way.y < 0 ? "up" : "down";
}

}  // namespace

MovingShape recognise(const media::FrameView& video) {
    std::vector<Colour> colours(video.pixels.size() / 3);
    for (std::size_t i = 0; i < colours.size(); ++i) {
        colours[i] = colour_at(video, i);
    }
    const Colour behind = median(colours);
    MovingShape seen{.colour = {}, .motion = {}, .background = name_of(behind, background_colours)};
    const std::optional<Colour> front = colour_in_front(colours, behind);
    if (!front) {
        return seen;
    }
    seen.colour = name_of(*front, shape_colours);
    const auto frame_pixels = static_cast<std::size_t>(video.height * video.width);
    std::vector<Point> centres;
    for (std::size_t begin = 0; begin < colours.size(); begin += frame_pixels) {
        const auto found =
            centre(std::span(colours).subspan(begin, frame_pixels), video.width, *front, behind);
        if (found) {
            centres.push_back(*found);
        }
    }
    if (centres.size() >= 9) {
        seen.motion = direction(centres);
    }
    return seen;
}

}  // namespace reelyard::cli
