#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "reelyard/media/frame_sink.hpp"

namespace reelyard::test {

/// Frames made by a formula: uint8 [F, H, W, 3].
struct TestVideo {
    std::int64_t frames;
    std::int64_t height;
    std::int64_t width;
    std::vector<std::uint8_t> pixels = {};

    [[nodiscard]] media::FrameView view() const { return slice(0, frames); }
    [[nodiscard]] media::FrameView slice(std::int64_t first, std::int64_t count) const {
        const auto size = static_cast<std::size_t>(3 * height * width);
        return {std::span(pixels).subspan(static_cast<std::size_t>(first) * size,
                                          static_cast<std::size_t>(count) * size),
                count,
                height,
                width};
    }
};

/// Slow waves that move, so that every frame is another.
inline TestVideo smooth_video(std::int64_t frames, std::int64_t height, std::int64_t width) {
    TestVideo video{frames, height, width};
    for (std::int64_t f = 0; f < frames; ++f) {
        for (std::int64_t y = 0; y < height; ++y) {
            for (std::int64_t x = 0; x < width; ++x) {
                for (int c = 0; c < 3; ++c) {
                    const double wave = std::sin(0.06 * static_cast<double>(x + 4 * f) + c) +
                                        std::cos(0.05 * static_cast<double>(y - 3 * f) - c);
                    video.pixels.push_back(static_cast<std::uint8_t>(127.5 + 50.0 * wave));
                }
            }
        }
    }
    return video;
}

/// Every frame of one colour, which differs from frame to frame.
inline TestVideo flat_video(const std::vector<std::vector<std::uint8_t>>& colours,
                            std::int64_t height,
                            std::int64_t width) {
    TestVideo video{static_cast<std::int64_t>(colours.size()), height, width};
    for (const auto& colour : colours) {
        for (std::int64_t i = 0; i < height * width; ++i) {
            video.pixels.insert(video.pixels.end(), colour.begin(), colour.end());
        }
    }
    return video;
}

/// Peak signal-to-noise ratio in dB.
inline double psnr(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
        sum += difference * difference;
    }
    if (sum == 0.0) {
        return std::numeric_limits<double>::infinity();
    }
    return 10.0 * std::log10(255.0 * 255.0 * static_cast<double>(a.size()) / sum);
}

}  // namespace reelyard::test
