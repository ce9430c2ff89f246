#include "mp4_sink.hpp"

#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "reelyard/base/atomic_file.hpp"

#include "libav.hpp"
#include "mp4_muxer.hpp"

extern "C" {
#include <libavutil/opt.h>
}

namespace reelyard::media {
namespace {

constexpr const char* encoder_name = "libx264";

/// Quality as x264's constant rate factor. 10 is what the original Wan program asks for (imageio's
/// quality 8); 18 counts as visually lossless.
constexpr double rate_factor = 10.0;

/// The threads decide the bits, so their number is fixed; so is the choice of algorithms that
/// differ between processors.
constexpr int encoder_threads = 4;
constexpr const char* reproducible = "lookahead-threads=1:deterministic=1:cpu-independent=1";

/// The fraction closest to a rate: 16 is 16/1, 29.97002997 is 30000/1001.
AVRational to_fraction(double frames_per_second) {
    constexpr int largest_term = 100000;
    require(
        std::isfinite(frames_per_second) && frames_per_second > 0.0 && frames_per_second <= 1000.0,
        ErrorKind::input,
        "frame rate: is {} (expected a number above 0, at most 1000)",
        frames_per_second);
    return av_d2q(frames_per_second, largest_term);
}

LibavPtr<AVCodecContext> open_encoder(const SinkOptions& options, const std::string& place) {
    auto encoder = make_encoder(encoder_name);
    encoder->width = static_cast<int>(options.width);
    encoder->height = static_cast<int>(options.height);
    encoder->pix_fmt = AV_PIX_FMT_YUV420P;
    encoder->framerate = to_fraction(options.frames_per_second);
    encoder->time_base = av_inv_q(encoder->framerate);
    encoder->sample_aspect_ratio = {1, 1};
    encoder->color_primaries = AVCOL_PRI_BT709;
    encoder->color_trc = AVCOL_TRC_BT709;
    encoder->colorspace = AVCOL_SPC_BT709;
    encoder->color_range = AVCOL_RANGE_MPEG;
    encoder->chroma_sample_location = AVCHROMA_LOC_LEFT;
    encoder->thread_count = encoder_threads;
    encoder->flags |= AV_CODEC_FLAG_GLOBAL_HEADER | AV_CODEC_FLAG_BITEXACT;
    av_opt_set_double(encoder->priv_data, "crf", rate_factor, 0);
    av_opt_set(encoder->priv_data, "x264-params", reproducible, 0);
    check_libav(avcodec_open2(encoder.get(), nullptr, nullptr),
                {ErrorKind::resources, place},
                "opening the H.264 encoder");
    return encoder;
}

class Mp4Sink final : public FrameSink {
public:
    Mp4Sink(const SinkOptions& options, FileSystem& files)
        : files_(files)
        , name_(mp4_output(options.id))
        , path_(options.folder / name_)
        , width_(options.width)
        , height_(options.height)
        , blame_{ErrorKind::internal, path_.string()}
        , converter_(AV_PIX_FMT_RGB24, AV_PIX_FMT_YUV420P, width_, height_)
        , encoder_(open_encoder(options, path_.string()))
        , muxer_(std::in_place, *encoder_, path_.string()) {
        make_folders(options.folder);
    }

    void write(const FrameView& frames) override {
        REELYARD_EXPECT(muxer_.has_value());
        REELYARD_EXPECT(frames.height == height_ && frames.width == width_);
        const auto frame_bytes = static_cast<std::size_t>(3 * height_ * width_);
        REELYARD_EXPECT(frames.pixels.size() ==
                        static_cast<std::size_t>(frames.frames) * frame_bytes);
        for (auto rest = frames.pixels; !rest.empty(); rest = rest.subspan(frame_bytes)) {
            encode(rest.first(frame_bytes));
        }
    }

    std::vector<std::filesystem::path> finish() override {
        REELYARD_EXPECT(muxer_.has_value() && frames_written_ > 0);
        check_libav(avcodec_send_frame(encoder_.get(), nullptr), blame_, "encoding");
        drain();

        const auto content = muxer_->finish();
        TemporaryFile temporary(partial_path(path_), files_);
        files_.open(temporary.path(), FileSystem::Mode::truncate)->write(content);
        temporary.commit(path_);
        muxer_.reset();
        return {name_};
    }

private:
    void encode(std::span<const std::uint8_t> pixels) {
        // The encoder keeps frames to look ahead, so each gets its own.
        const auto frame = make_frame(AV_PIX_FMT_YUV420P, width_, height_);
        converter_.from_rgb(pixels, *frame);
        frame->pts = frames_written_++;
        check_libav(avcodec_send_frame(encoder_.get(), frame.get()), blame_, "encoding");
        drain();
    }

    void drain() {
        const auto packet = make_packet();
        while (receive(*encoder_, *packet, blame_)) {
            muxer_->write(*packet);
        }
    }

    FileSystem& files_;
    std::filesystem::path name_;
    std::filesystem::path path_;
    std::int64_t width_;
    std::int64_t height_;
    LibavBlame blame_;
    PixelConverter converter_;
    LibavPtr<AVCodecContext> encoder_;
    std::optional<Mp4Muxer> muxer_;  ///< none after finish()
    std::int64_t frames_written_ = 0;
};

}  // namespace

std::unique_ptr<FrameSink> make_mp4_sink(const SinkOptions& options, FileSystem& files) {
    require(options.width % 2 == 0 && options.height % 2 == 0,
            ErrorKind::input,
            "size: is {}x{} (expected even numbers: H.264 stores colours for 2x2 pixels)",
            options.width,
            options.height);
    return std::make_unique<Mp4Sink>(options, files);
}

std::filesystem::path mp4_output(const std::string& id) {
    return id + ".mp4";
}

void check_mp4_encoder() {
    static_cast<void>(make_encoder(encoder_name));
}

}  // namespace reelyard::media
