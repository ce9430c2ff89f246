#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "reelyard/media/sink_registry.hpp"

namespace reelyard::media {

/// H.264 in MP4: yuv420p, BT.709 with limited range, the index before the data. The video is kept
/// in memory, compressed, until finish() writes it in one piece.
[[nodiscard]] std::unique_ptr<FrameSink> make_mp4_sink(const SinkOptions& options,
                                                       FileSystem& files);

[[nodiscard]] std::filesystem::path mp4_output(const std::string& id);

/// \throws Error (resources) when there is no H.264 encoder
void check_mp4_encoder();

}  // namespace reelyard::media
