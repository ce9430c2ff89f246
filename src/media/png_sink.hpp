#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "reelyard/media/sink_registry.hpp"

namespace reelyard::media {

/// A folder of frames, 000000.png and on.
[[nodiscard]] std::unique_ptr<FrameSink> make_png_sink(const SinkOptions& options,
                                                       FileSystem& files);

[[nodiscard]] std::filesystem::path png_output(const std::string& id);

}  // namespace reelyard::media
