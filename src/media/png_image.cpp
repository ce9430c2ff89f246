#include "png_image.hpp"

#include <algorithm>

#include "reelyard/base/file_system.hpp"

#include "libav.hpp"

extern "C" {
#include <libavutil/opt.h>
}

namespace reelyard::media {
namespace {

constexpr const char* encoder_name = "png";

/// Of the prediction methods and levels this pair was the fastest on noisy moving gradients, and
/// its files were among the smallest.
constexpr const char* prediction = "up";
constexpr int compression_level = 3;

LibavPtr<AVCodecContext> open_encoder(const ImageView& image, const LibavBlame& blame) {
    auto encoder = make_encoder(encoder_name);
    encoder->width = static_cast<int>(image.width);
    encoder->height = static_cast<int>(image.height);
    encoder->pix_fmt = AV_PIX_FMT_RGB24;
    encoder->time_base = {1, 1};
    encoder->thread_count = 1;
    encoder->compression_level = compression_level;
    encoder->flags |= AV_CODEC_FLAG_BITEXACT;
    av_opt_set(encoder->priv_data, "pred", prediction, 0);
    check_libav(avcodec_open2(encoder.get(), nullptr, nullptr), blame, "opening the PNG encoder");
    return encoder;
}

/// `text` as a packet, with the zeros behind it that decoders ask for.
LibavPtr<AVPacket> to_packet(const std::string& text, const LibavBlame& blame) {
    auto packet = make_packet();
    check_libav(av_new_packet(packet.get(), static_cast<int>(text.size())), blame, "reading");
    std::copy(text.begin(), text.end(), packet->data);
    return packet;
}

}  // namespace

std::vector<std::byte> encode_png(const ImageView& image, const std::string& place) {
    const LibavBlame blame{ErrorKind::internal, place};
    const auto encoder = open_encoder(image, blame);
    const auto frame = make_frame(AV_PIX_FMT_RGB24, image.width, image.height);
    const auto row_bytes = static_cast<std::size_t>(3 * image.width);
    for (std::int64_t y = 0; y < image.height; ++y) {
        const auto row = image.pixels.subspan(static_cast<std::size_t>(y) * row_bytes, row_bytes);
        std::copy(row.begin(), row.end(), frame->data[0] + y * frame->linesize[0]);
    }

    check_libav(avcodec_send_frame(encoder.get(), frame.get()), blame, "encoding");
    check_libav(avcodec_send_frame(encoder.get(), nullptr), blame, "encoding");
    const auto packet = make_packet();
    require(receive(*encoder, *packet, blame),
            ErrorKind::internal,
            "{}: the PNG encoder gave nothing",
            place);
    const auto bytes =
        std::as_bytes(std::span(packet->data, static_cast<std::size_t>(packet->size)));
    return {bytes.begin(), bytes.end()};
}

Image read_png(const std::filesystem::path& path) {
    const LibavBlame blame{ErrorKind::input, path.string()};
    const auto decoder = make_decoder(AV_CODEC_ID_PNG, path.string());
    decoder->thread_count = 1;
    check_libav(avcodec_open2(decoder.get(), nullptr, nullptr), blame, "opening the PNG decoder");
    const auto packet = to_packet(read_text_file(path), blame);
    check_libav(avcodec_send_packet(decoder.get(), packet.get()), blame, "decoding");
    check_libav(avcodec_send_packet(decoder.get(), nullptr), blame, "decoding");
    const LibavPtr<AVFrame> frame(av_frame_alloc());
    require(
        receive(*decoder, *frame, blame), ErrorKind::input, "{}: holds no picture", path.string());

    Image image{.height = frame->height, .width = frame->width, .pixels = {}};
    image.pixels.resize(static_cast<std::size_t>(3 * image.height * image.width));
    const auto format = static_cast<AVPixelFormat>(frame->format);
    PixelConverter(format, AV_PIX_FMT_RGB24, image.width, image.height)
        .to_rgb(*frame, image.pixels);
    return image;
}

void check_png_encoder() {
    static_cast<void>(make_encoder(encoder_name));
}

}  // namespace reelyard::media
