#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace reelyard::media {

/// Frames as a view: uint8 [F, H, W, 3], RGB, row-major.
struct FrameView {
    std::span<const std::uint8_t> pixels;
    std::int64_t frames = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
};

/// Takes the frames of one video in order and makes finished files of them. Nothing stands under a
/// final name before finish() has returned; nothing is left behind when the sink is destroyed
/// without it.
class FrameSink {
public:
    FrameSink() = default;
    FrameSink(const FrameSink&) = delete;
    FrameSink& operator=(const FrameSink&) = delete;
    virtual ~FrameSink() = default;

    /// \throws Error (resources when the disk is full, storage otherwise)
    virtual void write(const FrameView& frames) = 0;

    /// Ends the video, syncs it and gives it its final name, in place of what stood there before.
    /// \returns the paths of the files it made, below the sink's folder
    virtual std::vector<std::filesystem::path> finish() = 0;
};

}  // namespace reelyard::media
