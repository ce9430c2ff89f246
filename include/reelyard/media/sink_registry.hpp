#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reelyard/base/file_system.hpp"
#include "reelyard/media/frame_sink.hpp"

namespace reelyard::media {

/// What a sink writes.
struct SinkOptions {
    std::filesystem::path folder;  ///< the output goes below it, named after the id; is made
    std::string id;
    std::int64_t width = 0;
    std::int64_t height = 0;
    double frames_per_second = 16.0;
};

/// \param name one of sink_names()
/// \param files outlives the sink
/// \throws Error (usage) for an unknown name, Error (input) for a size that the sink cannot write
[[nodiscard]] std::unique_ptr<FrameSink> make_sink(std::string_view name,
                                                   const SinkOptions& options,
                                                   FileSystem& files = posix_file_system());

/// "mp4", "png".
[[nodiscard]] std::vector<std::string> sink_names();

/// What make_sink(name, ...) makes for `id`, below its folder: one file ("id.mp4"), or one folder
/// of frames ("id").
[[nodiscard]] std::filesystem::path sink_output(std::string_view name, const std::string& id);

/// Refuses a sink before any work is done for it.
/// \throws Error (usage) for an unknown name, Error (resources) when the FFmpeg libraries of this
/// machine cannot encode what it writes
void check_sink(std::string_view name);

}  // namespace reelyard::media
