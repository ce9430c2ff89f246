#include "reelyard/spec/video_size.hpp"

#include "reelyard/base/format.hpp"

namespace reelyard {

std::string to_string(const VideoSize& size) {
    return fmt::format(
        "{}x{}, {} frame{}", size.width, size.height, size.frames, size.frames == 1 ? "" : "s");
}

}  // namespace reelyard
