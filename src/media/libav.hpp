#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libswscale/swscale.h>
}

/// Owners for what the FFmpeg libraries hand out, and their errors as ours.
namespace reelyard::media {

struct LibavDeleter {
    void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
    void operator()(AVFrame* frame) const { av_frame_free(&frame); }
    void operator()(AVPacket* packet) const { av_packet_free(&packet); }
    void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};

template <typename T>
using LibavPtr = std::unique_ptr<T, LibavDeleter>;

/// Who has to be blamed when a call fails.
struct LibavBlame {
    ErrorKind kind;
    std::string place;  ///< the file
};

/// \returns `code` when it is no error \throws Error (resources when memory or disk space lacks,
/// else the kind of `blame`) with what the library said
int check_libav(int code, const LibavBlame& blame, const char* what);

/// From here on the libraries print nothing; what they say goes into the messages of
/// check_libav(). Cheap to call again.
void silence_libav();

[[nodiscard]] LibavPtr<AVPacket> make_packet();

/// A frame with room for its picture.
[[nodiscard]] LibavPtr<AVFrame> make_frame(AVPixelFormat format,
                                           std::int64_t width,
                                           std::int64_t height);

/// \throws Error (resources) when this FFmpeg was built without the encoder
[[nodiscard]] LibavPtr<AVCodecContext> make_encoder(const char* name);

/// \throws Error (input) when this FFmpeg cannot decode it
[[nodiscard]] LibavPtr<AVCodecContext> make_decoder(AVCodecID id, const std::string& place);

/// An opened codec context's next result; false when it needs more input or has ended.
[[nodiscard]] bool receive(AVCodecContext& encoder, AVPacket& packet, const LibavBlame& blame);
[[nodiscard]] bool receive(AVCodecContext& decoder, AVFrame& frame, const LibavBlame& blame);

/// How the colours of a picture in YUV are stored.
struct YuvColours {
    AVColorSpace matrix = AVCOL_SPC_BT709;
    bool full_range = false;
};

/// Converts pictures of one size between RGB and another pixel format, the same bits on every
/// machine.
class PixelConverter {
public:
    PixelConverter(AVPixelFormat from,
                   AVPixelFormat to,
                   std::int64_t width,
                   std::int64_t height,
                   YuvColours colours = {});

    /// RGB24 rows without gaps into a frame.
    void from_rgb(std::span<const std::uint8_t> pixels, AVFrame& frame) const;
    /// A frame into RGB24 rows without gaps.
    void to_rgb(const AVFrame& frame, std::span<std::uint8_t> pixels) const;

private:
    std::int64_t width_;
    std::int64_t height_;
    LibavPtr<SwsContext> scaler_;
};

}  // namespace reelyard::media
