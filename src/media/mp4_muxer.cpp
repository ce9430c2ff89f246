#include "mp4_muxer.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <utility>

namespace reelyard::media {
namespace {

#if LIBAVFORMAT_VERSION_MAJOR >= 61
using WrittenByte = const std::uint8_t;
#else
using WrittenByte = std::uint8_t;
#endif

/// A place in a file that lies in memory.
struct Cursor {
    std::vector<std::uint8_t>& file;
    std::size_t position = 0;
};

int write_bytes(void* opaque, WrittenByte* data, int size) {
    auto& cursor = *static_cast<Cursor*>(opaque);
    const auto count = static_cast<std::size_t>(size);
    try {
        cursor.file.resize(std::max(cursor.file.size(), cursor.position + count));
    } catch (const std::bad_alloc&) {
        return AVERROR(ENOMEM);
    }
    std::memcpy(cursor.file.data() + cursor.position, data, count);
    cursor.position += count;
    return size;
}

int read_bytes(void* opaque, std::uint8_t* data, int size) {
    auto& cursor = *static_cast<Cursor*>(opaque);
    const std::size_t left = cursor.file.size() - std::min(cursor.position, cursor.file.size());
    const std::size_t count = std::min(left, static_cast<std::size_t>(size));
    if (count == 0) {
        return AVERROR_EOF;
    }
    std::memcpy(data, cursor.file.data() + cursor.position, count);
    cursor.position += count;
    return static_cast<int>(count);
}

std::int64_t seek_bytes(void* opaque, std::int64_t offset, int whence) {
    auto& cursor = *static_cast<Cursor*>(opaque);
    const auto size = static_cast<std::int64_t>(cursor.file.size());
    switch (whence & ~AVSEEK_FORCE) {
        case AVSEEK_SIZE:
            return size;
        case SEEK_CUR:
            offset += static_cast<std::int64_t>(cursor.position);
            break;
        case SEEK_END:
            offset += size;
            break;
        default:
            break;
    }
    if (offset < 0) {
        return AVERROR(EINVAL);
    }
    cursor.position = static_cast<std::size_t>(offset);
    return offset;
}

AVIOContext* make_io(Cursor& cursor, bool writes) {
    constexpr std::size_t buffer_bytes = 1 << 16;
    auto* buffer = static_cast<unsigned char*>(av_malloc(buffer_bytes));
    AVIOContext* io = buffer == nullptr ? nullptr
                                        : avio_alloc_context(buffer,
                                                             buffer_bytes,
                                                             writes ? 1 : 0,
                                                             &cursor,
                                                             writes ? nullptr : read_bytes,
                                                             writes ? write_bytes : nullptr,
                                                             seek_bytes);
    if (io == nullptr) {
        av_free(buffer);
    }
    return io;
}

void free_io(AVIOContext* io) {
    if (io != nullptr) {
        av_freep(&io->buffer);
        avio_context_free(&io);
    }
}

/// Moving the index to the front, the muxer opens the file it writes a second time, to read it.
int open_to_read(AVFormatContext* format,
                 AVIOContext** io,
                 const char* /*url*/,
                 int flags,
                 AVDictionary** /**/) {
    if ((flags & AVIO_FLAG_WRITE) != 0) {
        return AVERROR(EPERM);
    }
    auto& file = *static_cast<std::vector<std::uint8_t>*>(format->opaque);
    auto cursor = std::make_unique<Cursor>(Cursor{file});
    *io = make_io(*cursor, false);
    if (*io == nullptr) {
        return AVERROR(ENOMEM);
    }
    static_cast<void>(cursor.release());  // close_reading() takes it back
    return 0;
}

int close_reading(AVFormatContext* /*format*/, AVIOContext* io) {
    const std::unique_ptr<Cursor> cursor(static_cast<Cursor*>(io->opaque));
    free_io(io);
    return 0;
}

void set_callbacks(AVFormatContext& format) {
    format.io_open = open_to_read;
#if LIBAVFORMAT_VERSION_MAJOR >= 59
    format.io_close2 = close_reading;
#else
    format.io_close = [](AVFormatContext* context, AVIOContext* io) {
        close_reading(context, io);
    };
#endif
}

}  // namespace

struct Mp4Muxer::Io {
    explicit Io(std::vector<std::uint8_t>& file) : cursor{file}, context(make_io(cursor, true)) {
        require(context != nullptr, ErrorKind::resources, "not enough memory for a video file");
    }
    Io(const Io&) = delete;
    Io& operator=(const Io&) = delete;
    ~Io() { free_io(context); }

    Cursor cursor;
    AVIOContext* context;
};

Mp4Muxer::Mp4Muxer(const AVCodecContext& encoder, std::string place)
    : blame_{ErrorKind::storage, std::move(place)}
    , io_(std::make_unique<Io>(file_))
    , frame_duration_(encoder.time_base) {
    check_libav(avformat_alloc_output_context2(&format_, nullptr, "mp4", nullptr),
                blame_,
                "making an MP4 file");
    format_->pb = io_->context;
    format_->opaque = &file_;
    // No version and no time in the file: the same frames make the same bytes.
    format_->flags |= AVFMT_FLAG_CUSTOM_IO | AVFMT_FLAG_BITEXACT;
    set_callbacks(*format_);

    AVStream* stream = avformat_new_stream(format_, nullptr);
    require(stream != nullptr, ErrorKind::resources, "not enough memory for a video file");
    stream->time_base = encoder.time_base;
    stream->avg_frame_rate = encoder.framerate;
    check_libav(avcodec_parameters_from_context(stream->codecpar, &encoder),
                blame_,
                "describing the stream");

    AVDictionary* options = nullptr;
    av_dict_set(&options, "movflags", "+faststart", 0);
    const int code = avformat_write_header(format_, &options);
    av_dict_free(&options);
    check_libav(code, blame_, "starting the MP4 file");
}

Mp4Muxer::~Mp4Muxer() {
    avformat_free_context(format_);
}

void Mp4Muxer::write(AVPacket& packet) {
    packet.duration = 1;  // in frames; the last one has no successor to tell its duration
    av_packet_rescale_ts(&packet, frame_duration_, format_->streams[0]->time_base);
    check_libav(av_interleaved_write_frame(format_, &packet), blame_, "adding a frame");
}

std::span<const std::byte> Mp4Muxer::finish() {
    check_libav(av_write_trailer(format_), blame_, "ending the MP4 file");
    avio_flush(format_->pb);
    check_libav(format_->pb->error, blame_, "ending the MP4 file");
    return std::as_bytes(std::span<const std::uint8_t>(file_));
}

}  // namespace reelyard::media
