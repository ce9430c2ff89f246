#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "reelyard/media/frame_sink.hpp"

namespace reelyard::media {

struct VideoInfo {
    std::int64_t frames = 0;  ///< as the container says; may be 0 in foreign files
    std::int64_t height = 0;
    std::int64_t width = 0;
    double frames_per_second = 0.0;  ///< 0 for a folder of pictures
};

/// Reads what the sinks write: a video file, or a folder of PNG frames in the order of their names.
class VideoReader {
public:
    /// \throws Error (input) naming the file when it is missing or no video
    explicit VideoReader(const std::filesystem::path& path);
    VideoReader(const VideoReader&) = delete;
    VideoReader& operator=(const VideoReader&) = delete;
    VideoReader(VideoReader&&) noexcept;
    VideoReader& operator=(VideoReader&&) noexcept;
    ~VideoReader();

    [[nodiscard]] const VideoInfo& info() const;

    /// The next frame, uint8 [H, W, 3] RGB; nothing after the last.
    /// \throws Error (input) naming the file when its content is damaged
    [[nodiscard]] std::optional<std::vector<std::uint8_t>> next();

private:
    struct Source;
    std::unique_ptr<Source> source_;
};

/// A whole video in memory.
struct Video {
    VideoInfo info;                    ///< with `frames` as counted
    std::vector<std::uint8_t> pixels;  ///< [F, H, W, 3]

    [[nodiscard]] FrameView view() const { return {pixels, info.frames, info.height, info.width}; }
};

[[nodiscard]] Video read_video(const std::filesystem::path& path);

}  // namespace reelyard::media
