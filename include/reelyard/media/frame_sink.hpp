#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reelyard::media {

/// Frames as a view: uint8 [F, H, W, 3], RGB, row-major.
struct FrameView {
    std::span<const std::uint8_t> pixels;
    std::int64_t frames = 0;
    std::int64_t height = 0;
    std::int64_t width = 0;
};

/// What a sink writes.
struct SinkOptions {
    std::filesystem::path folder;  ///< the files go below it, named after the id
    std::string id;
    std::int64_t width = 0;
    std::int64_t height = 0;
    double frames_per_second = 16.0;
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

    /// Ends the video, syncs it and gives it its final name.
    /// \returns the paths of the files it made, below the folder
    virtual std::vector<std::filesystem::path> finish() = 0;
};

/// \param name "mp4" or "png"
/// \throws Error (usage) for an unknown name, listing the known ones
[[nodiscard]] std::unique_ptr<FrameSink> make_sink(std::string_view name,
                                                   const SinkOptions& options);

[[nodiscard]] std::vector<std::string> sink_names();

/// The paths (below the folder) that make_sink(name, ...) makes for `id`: one file, or one folder
/// of frames.
[[nodiscard]] std::filesystem::path sink_output(std::string_view name, const std::string& id);

}  // namespace reelyard::media
