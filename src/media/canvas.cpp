#include "canvas.hpp"

#include <algorithm>
#include <array>

namespace reelyard::media {
namespace {

constexpr std::int64_t channels = 3;

std::size_t offset(std::int64_t width, std::int64_t x, std::int64_t y) {
    return static_cast<std::size_t>((y * width + x) * channels);
}

/// The mean of the pixels in an area, rounded.
Colour mean(const ImageView& picture, const Rectangle& area) {
    std::array<std::int64_t, channels> sums{};
    for (std::int64_t y = area.y; y < area.y + area.height; ++y) {
        const auto* pixel = &picture.pixels[offset(picture.width, area.x, y)];
        for (std::int64_t i = 0; i < area.width * channels; ++i) {
            sums[static_cast<std::size_t>(i % channels)] += pixel[i];
        }
    }
    const std::int64_t count = area.width * area.height;
    const auto rounded = [&](std::int64_t sum) {
        return static_cast<std::uint8_t>((sum + count / 2) / count);
    };
    return {rounded(sums[0]), rounded(sums[1]), rounded(sums[2])};
}

/// The source pixels [first, first + count) of a target pixel along one axis.
struct Cell {
    std::int64_t first;
    std::int64_t count;
};

Cell source_cell(std::int64_t target, std::int64_t targets, std::int64_t sources) {
    const std::int64_t first = target * sources / targets;
    return {first, std::max<std::int64_t>(1, (target + 1) * sources / targets - first)};
}

}  // namespace

Canvas::Canvas(std::int64_t width, std::int64_t height, Colour background)
    : image_{height, width, std::vector<std::uint8_t>(offset(width, 0, height))} {
    fill({0, 0, width, height}, background);
}

void Canvas::fill(const Rectangle& area, Colour colour) {
    const std::int64_t bottom = std::min(area.y + area.height, image_.height);
    const std::int64_t right = std::min(area.x + area.width, image_.width);
    for (std::int64_t y = std::max<std::int64_t>(area.y, 0); y < bottom; ++y) {
        for (std::int64_t x = std::max<std::int64_t>(area.x, 0); x < right; ++x) {
            auto* pixel = &image_.pixels[offset(image_.width, x, y)];
            pixel[0] = colour.red;
            pixel[1] = colour.green;
            pixel[2] = colour.blue;
        }
    }
}

void Canvas::draw(const ImageView& picture, std::int64_t x, std::int64_t y) {
    const std::int64_t rows = std::min(picture.height, image_.height - y);
    const std::int64_t columns = std::min(picture.width, image_.width - x);
    for (std::int64_t row = 0; row < rows && columns > 0; ++row) {
        const auto* from = &picture.pixels[offset(picture.width, 0, row)];
        std::copy_n(from, columns * channels, &image_.pixels[offset(image_.width, x, y + row)]);
    }
}

void Canvas::blend(std::int64_t x, std::int64_t y, Colour colour, std::uint8_t coverage) {
    if (x < 0 || y < 0 || x >= image_.width || y >= image_.height) {
        return;
    }
    auto* pixel = &image_.pixels[offset(image_.width, x, y)];
    const auto mix = [&](std::uint8_t below, std::uint8_t above) {
        return static_cast<std::uint8_t>((below * (255 - coverage) + above * coverage + 127) / 255);
    };
    pixel[0] = mix(pixel[0], colour.red);
    pixel[1] = mix(pixel[1], colour.green);
    pixel[2] = mix(pixel[2], colour.blue);
}

Image resize(const ImageView& picture, std::int64_t width, std::int64_t height) {
    Image result{height, width, {}};
    result.pixels.reserve(offset(width, 0, height));
    for (std::int64_t y = 0; y < height; ++y) {
        const Cell rows = source_cell(y, height, picture.height);
        for (std::int64_t x = 0; x < width; ++x) {
            const Cell columns = source_cell(x, width, picture.width);
            const Colour colour =
                mean(picture, {columns.first, rows.first, columns.count, rows.count});
            result.pixels.insert(result.pixels.end(), {colour.red, colour.green, colour.blue});
        }
    }
    return result;
}

}  // namespace reelyard::media
