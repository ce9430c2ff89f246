#pragma once

#include <cstdint>
#include <string>

namespace reelyard {

/// Size of a video in pixels and frames.
struct VideoSize {
    std::int64_t width = 0;
    std::int64_t height = 0;
    std::int64_t frames = 0;

    friend bool operator==(const VideoSize&, const VideoSize&) = default;
};

/// "832x480, 81 frames".
[[nodiscard]] std::string to_string(const VideoSize& size);

}  // namespace reelyard
