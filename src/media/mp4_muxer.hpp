#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "libav.hpp"

namespace reelyard::media {

/// Puts the packets of one video stream into an MP4 file in memory, its index before its data.
class Mp4Muxer {
public:
    /// \param encoder opened, with global headers; its time base is one frame
    /// \param place the file in error messages
    Mp4Muxer(const AVCodecContext& encoder, std::string place);
    ~Mp4Muxer();
    Mp4Muxer(const Mp4Muxer&) = delete;
    Mp4Muxer& operator=(const Mp4Muxer&) = delete;

    /// \param packet times in frames
    void write(AVPacket& packet);

    /// Ends the file. \returns all of it, alive as long as the muxer
    [[nodiscard]] std::span<const std::byte> finish();

private:
    struct Io;

    LibavBlame blame_;
    std::vector<std::uint8_t> file_;
    std::unique_ptr<Io> io_;  ///< libav's view of file_
    AVFormatContext* format_ = nullptr;
    AVRational frame_duration_;
};

}  // namespace reelyard::media
