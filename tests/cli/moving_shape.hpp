#pragma once

#include <string>

#include "reelyard/media/frame_sink.hpp"

namespace reelyard::cli {

/// What is seen in a video of one shape moving over a plain background; empty words where nothing
/// is.
struct MovingShape {
    std::string colour;      ///< red, green, blue, yellow, purple, white
    std::string motion;      ///< left, right, up, down
    std::string background;  ///< black, gray, brown
};

/// The background is the median colour, the shape the pixels that are nearer to the most different
/// colour than to it, the motion the way of the shape's centre from the first to the last frames.
[[nodiscard]] MovingShape recognise(const media::FrameView& video);

}  // namespace reelyard::cli
