#include "reelyard/media/video_reader.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "reelyard/base/file_system.hpp"

#include "libav.hpp"
#include "png_image.hpp"

namespace reelyard::media {
namespace {

namespace fs = std::filesystem;
using Pixels = std::vector<std::uint8_t>;

struct FormatDeleter {
    void operator()(AVFormatContext* format) const { avformat_close_input(&format); }
};

/// Decodes the video stream of a file.
class VideoFile {
public:
    explicit VideoFile(const fs::path& path) : blame_{ErrorKind::input, path.string()} {
        silence_libav();
        AVFormatContext* format = nullptr;
        check_libav(
            avformat_open_input(&format, path.c_str(), nullptr, nullptr), blame_, "opening");
        format_.reset(format);
        check_libav(avformat_find_stream_info(format, nullptr), blame_, "reading");
        stream_ = check_libav(av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0),
                              blame_,
                              "looking for a video");

        const AVCodecParameters& parameters = *format->streams[stream_]->codecpar;
        decoder_ = make_decoder(parameters.codec_id, path.string());
        check_libav(avcodec_parameters_to_context(decoder_.get(), &parameters), blame_, "reading");
        check_libav(avcodec_open2(decoder_.get(), nullptr, nullptr), blame_, "opening the decoder");
    }

    [[nodiscard]] VideoInfo info() const {
        const AVStream& stream = *format_->streams[stream_];
        return {.frames = stream.nb_frames,
                .height = decoder_->height,
                .width = decoder_->width,
                .frames_per_second = av_q2d(stream.avg_frame_rate)};
    }

    std::optional<Pixels> next() {
        while (!receive(*decoder_, *frame_, blame_)) {
            if (at_end_) {
                return std::nullopt;
            }
            feed();
        }
        return to_pixels();
    }

private:
    void feed() {
        const int code = av_read_frame(format_.get(), packet_.get());
        if (code == AVERROR_EOF) {
            at_end_ = true;
            check_libav(avcodec_send_packet(decoder_.get(), nullptr), blame_, "decoding");
            return;
        }
        check_libav(code, blame_, "reading");
        if (packet_->stream_index == stream_) {
            check_libav(avcodec_send_packet(decoder_.get(), packet_.get()), blame_, "decoding");
        }
        av_packet_unref(packet_.get());
    }

    [[nodiscard]] Pixels to_pixels() {
        require(frame_->width == decoder_->width && frame_->height == decoder_->height,
                ErrorKind::input,
                "{}: a frame has another size than the first one",
                blame_.place);
        if (!converter_) {
            const auto matrix =
                frame_->colorspace == AVCOL_SPC_UNSPECIFIED ? AVCOL_SPC_BT709 : frame_->colorspace;
            converter_.emplace(static_cast<AVPixelFormat>(frame_->format),
                               AV_PIX_FMT_RGB24,
                               frame_->width,
                               frame_->height,
                               YuvColours{matrix, frame_->color_range == AVCOL_RANGE_JPEG});
        }
        Pixels pixels(static_cast<std::size_t>(3) * static_cast<std::size_t>(frame_->width) *
                      static_cast<std::size_t>(frame_->height));
        converter_->to_rgb(*frame_, pixels);
        return pixels;
    }

    LibavBlame blame_;
    std::unique_ptr<AVFormatContext, FormatDeleter> format_;
    int stream_ = 0;
    LibavPtr<AVCodecContext> decoder_;
    LibavPtr<AVPacket> packet_ = make_packet();
    LibavPtr<AVFrame> frame_{av_frame_alloc()};
    std::optional<PixelConverter> converter_;
    bool at_end_ = false;
};

/// Reads the pictures of a folder in the order of their names.
class FrameFolder {
public:
    explicit FrameFolder(fs::path folder) : folder_(std::move(folder)) {
        for (auto& name : posix_file_system().list(folder_)) {
            if (name.ends_with(".png") && !name.starts_with(".")) {
                names_.push_back(std::move(name));
            }
        }
        require(!names_.empty(),
                ErrorKind::input,
                "{}: is a folder without pictures (expected 000000.png and on)",
                folder_.string());
        const Image first = read_png(folder_ / names_.front());
        info_ = {.frames = static_cast<std::int64_t>(names_.size()),
                 .height = first.height,
                 .width = first.width};
    }

    [[nodiscard]] VideoInfo info() const { return info_; }

    std::optional<Pixels> next() {
        if (position_ == names_.size()) {
            return std::nullopt;
        }
        const fs::path path = folder_ / names_[position_++];
        Image image = read_png(path);
        require(image.height == info_.height && image.width == info_.width,
                ErrorKind::input,
                "{}: is {}x{} (expected {}x{}, as the first frame)",
                path.string(),
                image.width,
                image.height,
                info_.width,
                info_.height);
        return std::move(image.pixels);
    }

private:
    fs::path folder_;
    std::vector<std::string> names_;
    VideoInfo info_;
    std::size_t position_ = 0;
};

std::variant<VideoFile, FrameFolder> open_source(const fs::path& path) {
    if (fs::is_directory(path)) {
        return FrameFolder(path);
    }
    return VideoFile(path);
}

}  // namespace

struct VideoReader::Source {
    std::variant<VideoFile, FrameFolder> reader;
    VideoInfo info;
};

VideoReader::VideoReader(const fs::path& path)
    : source_(std::make_unique<Source>(Source{open_source(path), {}})) {
    source_->info = std::visit([](const auto& reader) { return reader.info(); }, source_->reader);
}

VideoReader::VideoReader(VideoReader&&) noexcept = default;
VideoReader& VideoReader::operator=(VideoReader&&) noexcept = default;
VideoReader::~VideoReader() = default;

const VideoInfo& VideoReader::info() const {
    return source_->info;
}

std::optional<Pixels> VideoReader::next() {
    return std::visit([](auto& reader) { return reader.next(); }, source_->reader);
}

Video read_video(const fs::path& path) {
    VideoReader reader(path);
    Video video{.info = reader.info(), .pixels = {}};
    video.info.frames = 0;
    while (const auto frame = reader.next()) {
        video.pixels.insert(video.pixels.end(), frame->begin(), frame->end());
        ++video.info.frames;
    }
    return video;
}

}  // namespace reelyard::media
