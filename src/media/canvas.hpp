#pragma once

#include <cstdint>

#include "png_image.hpp"

namespace reelyard::media {

struct Colour {
    std::uint8_t red = 0;
    std::uint8_t green = 0;
    std::uint8_t blue = 0;
};

struct Rectangle {
    std::int64_t x = 0;
    std::int64_t y = 0;
    std::int64_t width = 0;
    std::int64_t height = 0;
};

/// A picture to paint on; what falls outside is cut off.
class Canvas {
public:
    Canvas(std::int64_t width, std::int64_t height, Colour background);

    [[nodiscard]] ImageView view() const { return {image_.height, image_.width, image_.pixels}; }

    void fill(const Rectangle& area, Colour colour);
    void draw(const ImageView& picture, std::int64_t x, std::int64_t y);
    /// Mixes `colour` into a pixel. \param coverage 0 (nothing) to 255 (all)
    void blend(std::int64_t x, std::int64_t y, Colour colour, std::uint8_t coverage);

private:
    Image image_;
};

/// A picture in another size: pixels repeated to enlarge, averaged to reduce.
[[nodiscard]] Image resize(const ImageView& picture, std::int64_t width, std::int64_t height);

}  // namespace reelyard::media
