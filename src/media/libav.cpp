#include "libav.hpp"

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>
#include <utility>

namespace reelyard::media {
namespace {

/// What a library said last on this thread: its callback cannot be handed anything else.
thread_local std::string last_message;

void keep_message(void* source, int level, const char* text, va_list arguments) {
    if (level > AV_LOG_ERROR) {
        return;
    }
    std::array<char, 512> line{};
    int print_prefix = 0;
    av_log_format_line2(
        source, level, text, arguments, line.data(), static_cast<int>(line.size()), &print_prefix);
    std::string_view message = line.data();
    message = message.substr(0, message.find_last_not_of("\n ") + 1);
    last_message = message;
}

std::string describe(int code) {
    std::array<char, AV_ERROR_MAX_STRING_SIZE> text{};
    av_strerror(code, text.data(), text.size());
    const std::string said = std::exchange(last_message, {});
    return said.empty() ? std::string(text.data()) : fmt::format("{}: {}", text.data(), said);
}

template <typename T>
LibavPtr<T> check_allocated(T* raw) {
    require(raw != nullptr, ErrorKind::resources, "not enough memory for a video frame");
    return LibavPtr<T>(raw);
}

bool has_result(int code, const LibavBlame& blame, const char* what) {
    if (code == AVERROR(EAGAIN) || code == AVERROR_EOF) {
        return false;
    }
    check_libav(code, blame, what);
    return true;
}

}  // namespace

int check_libav(int code, const LibavBlame& blame, const char* what) {
    if (code >= 0) {
        return code;
    }
    const bool lacking = code == AVERROR(ENOMEM) || code == AVERROR(ENOSPC);
    fail(lacking ? ErrorKind::resources : blame.kind,
         "{}: {} failed: {}",
         blame.place,
         what,
         describe(code));
}

void silence_libav() {
    av_log_set_callback(keep_message);
}

LibavPtr<AVPacket> make_packet() {
    return check_allocated(av_packet_alloc());
}

LibavPtr<AVFrame> make_frame(AVPixelFormat format, std::int64_t width, std::int64_t height) {
    auto frame = check_allocated(av_frame_alloc());
    frame->format = format;
    frame->width = static_cast<int>(width);
    frame->height = static_cast<int>(height);
    check_libav(av_frame_get_buffer(frame.get(), 0),
                {ErrorKind::internal, fmt::format("a frame of {}x{}", width, height)},
                "allocating");
    return frame;
}

LibavPtr<AVCodecContext> make_encoder(const char* name) {
    silence_libav();
    const AVCodec* codec = avcodec_find_encoder_by_name(name);
    require(codec != nullptr,
            ErrorKind::resources,
            "FFmpeg {}: has no encoder '{}' (expected a libavcodec built with it)",
            av_version_info(),
            name);
    return check_allocated(avcodec_alloc_context3(codec));
}

LibavPtr<AVCodecContext> make_decoder(AVCodecID id, const std::string& place) {
    silence_libav();
    const AVCodec* codec = avcodec_find_decoder(id);
    require(codec != nullptr,
            ErrorKind::input,
            "{}: is coded as '{}', which this FFmpeg cannot decode",
            place,
            avcodec_get_name(id));
    return check_allocated(avcodec_alloc_context3(codec));
}

bool receive(AVCodecContext& encoder, AVPacket& packet, const LibavBlame& blame) {
    return has_result(avcodec_receive_packet(&encoder, &packet), blame, "encoding");
}

bool receive(AVCodecContext& decoder, AVFrame& frame, const LibavBlame& blame) {
    return has_result(avcodec_receive_frame(&decoder, &frame), blame, "decoding");
}

PixelConverter::PixelConverter(AVPixelFormat from,
                               AVPixelFormat to,
                               std::int64_t width,
                               std::int64_t height,
                               YuvColours colours)
    : width_(width)
    , height_(height) {
    const int w = static_cast<int>(width);
    const int h = static_cast<int>(height);
    const int flags =
        SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT | SWS_FULL_CHR_H_INT | SWS_FULL_CHR_H_INP;
    scaler_.reset(sws_getContext(w, h, from, w, h, to, flags, nullptr, nullptr, nullptr));
    require(scaler_ != nullptr,
            ErrorKind::input,
            "frames of {}x{} cannot be converted to RGB or from it",
            width,
            height);
    const int* matrix = sws_getCoefficients(colours.matrix);
    const int range = colours.full_range ? 1 : 0;
    constexpr int rgb_range = 1;
    constexpr int one = 1 << 16;
    sws_setColorspaceDetails(scaler_.get(),
                             matrix,
                             from == AV_PIX_FMT_RGB24 ? rgb_range : range,
                             matrix,
                             to == AV_PIX_FMT_RGB24 ? rgb_range : range,
                             0,
                             one,
                             one);
}

void PixelConverter::from_rgb(std::span<const std::uint8_t> pixels, AVFrame& frame) const {
    REELYARD_EXPECT(static_cast<std::int64_t>(pixels.size()) == 3 * width_ * height_);
    const std::array<const std::uint8_t*, 4> planes{pixels.data()};
    const std::array<int, 4> strides{static_cast<int>(3 * width_)};
    sws_scale(scaler_.get(),
              planes.data(),
              strides.data(),
              0,
              static_cast<int>(height_),
              frame.data,
              frame.linesize);
}

void PixelConverter::to_rgb(const AVFrame& frame, std::span<std::uint8_t> pixels) const {
    REELYARD_EXPECT(static_cast<std::int64_t>(pixels.size()) == 3 * width_ * height_);
    const std::array<std::uint8_t*, 4> planes{pixels.data()};
    const std::array<int, 4> strides{static_cast<int>(3 * width_)};
    sws_scale(scaler_.get(),
              frame.data,
              frame.linesize,
              0,
              static_cast<int>(height_),
              planes.data(),
              strides.data());
}

}  // namespace reelyard::media
