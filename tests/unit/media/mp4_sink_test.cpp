#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/resource.h>

#include "reelyard/base/error.hpp"
#include "reelyard/media/sink_registry.hpp"
#include "reelyard/media/video_reader.hpp"

#include "test_video.hpp"

#include "reelyard/test/temporary_folder.hpp"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
}

namespace reelyard::media {
namespace {

namespace fs = std::filesystem;

class Mp4SinkTest : public testing::Test {
protected:
    fs::path write(const test::TestVideo& video, double rate = 16.0) const {
        auto sink = make_sink("mp4",
                              {.folder = folder_.path(),
                               .id = "clip",
                               .width = video.width,
                               .height = video.height,
                               .frames_per_second = rate});
        sink->write(video.view());
        return folder_ / sink->finish().front();
    }

    test::TemporaryFolder folder_;
};

/// What FFmpeg's own tools would say of a file.
struct Probe {
    explicit Probe(const fs::path& path) {
        EXPECT_EQ(avformat_open_input(&format, path.c_str(), nullptr, nullptr), 0);
        EXPECT_GE(avformat_find_stream_info(format, nullptr), 0);
    }
    Probe(const Probe&) = delete;
    Probe& operator=(const Probe&) = delete;
    ~Probe() { avformat_close_input(&format); }

    [[nodiscard]] const AVStream& stream() const { return *format->streams[0]; }
    [[nodiscard]] const AVCodecParameters& codec() const { return *stream().codecpar; }

    AVFormatContext* format = nullptr;
};

TEST_F(Mp4SinkTest, is_h264_in_yuv420p_with_bt709_of_limited_range) {
    const Probe probe(write(test::smooth_video(17, 48, 80)));

    EXPECT_EQ(probe.format->nb_streams, 1U);
    EXPECT_EQ(probe.codec().codec_id, AV_CODEC_ID_H264);
    EXPECT_EQ(probe.codec().format, AV_PIX_FMT_YUV420P);
    EXPECT_EQ(probe.codec().width, 80);
    EXPECT_EQ(probe.codec().height, 48);
    EXPECT_EQ(probe.codec().color_range, AVCOL_RANGE_MPEG);
    EXPECT_EQ(probe.codec().color_space, AVCOL_SPC_BT709);
    EXPECT_EQ(probe.codec().color_primaries, AVCOL_PRI_BT709);
    EXPECT_EQ(probe.codec().color_trc, AVCOL_TRC_BT709);
}

struct Rate {
    double value;
    AVRational fraction;
};

class Mp4SinkRates : public Mp4SinkTest, public testing::WithParamInterface<Rate> {};

TEST_P(Mp4SinkRates, has_the_exact_rate_and_duration) {
    const auto [value, fraction] = GetParam();
    const Probe probe(write(test::smooth_video(9, 16, 16), value));

    const AVStream& stream = probe.stream();
    EXPECT_EQ(stream.avg_frame_rate.num, fraction.num);
    EXPECT_EQ(stream.avg_frame_rate.den, fraction.den);
    EXPECT_EQ(stream.nb_frames, 9);
    EXPECT_EQ(stream.start_time, 0);
    // Nine frames last exactly nine times the inverse of the rate.
    EXPECT_EQ(av_cmp_q(av_mul_q(stream.time_base, {static_cast<int>(stream.duration), 1}),
                       av_mul_q(av_inv_q(fraction), {9, 1})),
              0);
}

INSTANTIATE_TEST_SUITE_P(Common,
                         Mp4SinkRates,
                         testing::Values(Rate{16.0, {16, 1}},
                                         Rate{24.0, {24, 1}},
                                         Rate{12.5, {25, 2}},
                                         Rate{30000.0 / 1001.0, {30000, 1001}}));

TEST_F(Mp4SinkTest, a_single_frame_lasts_one_period) {
    const Probe probe(write(test::smooth_video(1, 16, 16), 8.0));

    EXPECT_EQ(probe.stream().nb_frames, 1);
    EXPECT_NEAR(static_cast<double>(probe.format->duration) / AV_TIME_BASE, 0.125, 1e-3);
}

TEST_F(Mp4SinkTest, colours_come_back_as_they_were) {
    const std::vector<std::vector<std::uint8_t>> colours{{255, 0, 0},
                                                         {0, 255, 0},
                                                         {0, 0, 255},
                                                         {255, 255, 0},
                                                         {255, 255, 255},
                                                         {0, 0, 0},
                                                         {128, 128, 128},
                                                         {200, 120, 40}};
    const Video read = read_video(write(test::flat_video(colours, 32, 32)));

    ASSERT_EQ(read.info.frames, static_cast<std::int64_t>(colours.size()));
    for (std::size_t f = 0; f < colours.size(); ++f) {
        const std::size_t middle = (f * 32 * 32 + 16 * 32 + 16) * 3;
        for (std::size_t c = 0; c < 3; ++c) {
            EXPECT_NEAR(read.pixels[middle + c], colours[f][c], 3) << "frame " << f;
        }
    }
}

/// The stored luma and chroma themselves, by the formula of BT.709 (ITU-R BT.709-6, 3.2 to 3.4),
/// so that reader and writer cannot share one wrong matrix.
TEST_F(Mp4SinkTest, red_is_stored_as_bt709_says) {
    const Probe probe(write(test::flat_video({{255, 0, 0}}, 32, 32)));
    const AVCodec* codec = avcodec_find_decoder(AV_CODEC_ID_H264);
    AVCodecContext* decoder = avcodec_alloc_context3(codec);
    avcodec_parameters_to_context(decoder, &probe.codec());
    ASSERT_EQ(avcodec_open2(decoder, codec, nullptr), 0);
    AVPacket* packet = av_packet_alloc();
    AVFrame* frame = av_frame_alloc();

    ASSERT_EQ(av_read_frame(probe.format, packet), 0);
    ASSERT_EQ(avcodec_send_packet(decoder, packet), 0);
    ASSERT_EQ(avcodec_send_packet(decoder, nullptr), 0);
    ASSERT_EQ(avcodec_receive_frame(decoder, frame), 0);

    const double luma = 0.2126;
    EXPECT_NEAR(frame->data[0][16 * frame->linesize[0] + 16], 16 + 219 * luma, 1.5);
    EXPECT_NEAR(frame->data[1][8 * frame->linesize[1] + 8], 128 + 224 * (-luma / 1.8556), 1.5);
    EXPECT_NEAR(frame->data[2][8 * frame->linesize[2] + 8], 128 + 224 * (1 - luma) / 1.5748, 1.5);
    av_frame_free(&frame);
    av_packet_free(&packet);
    avcodec_free_context(&decoder);
}

TEST_F(Mp4SinkTest, has_its_index_before_its_data) {
    const std::string file = read_text_file(write(test::smooth_video(17, 48, 80)));

    const auto index = file.find("moov");
    const auto data = file.find("mdat");
    ASSERT_NE(index, std::string::npos);
    ASSERT_NE(data, std::string::npos);
    EXPECT_LT(index, data);
}

/// The number of cores that a process sees decides how many threads encoders start by themselves.
TEST_F(Mp4SinkTest, the_bytes_do_not_depend_on_the_number_of_cores) {
    const auto video = test::smooth_video(33, 160, 160);
    const std::string on_all_cores = read_text_file(write(video));
    cpu_set_t all;
    ASSERT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    for (int core = 0; CPU_COUNT(&one) == 0; ++core) {
        if (CPU_ISSET(core, &all)) {
            CPU_SET(core, &one);
        }
    }

    ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
    const std::string on_one_core = read_text_file(write(video));
    ASSERT_EQ(sched_setaffinity(0, sizeof all, &all), 0);

    EXPECT_TRUE(on_all_cores == on_one_core);
    EXPECT_TRUE(read_text_file(write(video)) == on_all_cores);
}

TEST_F(Mp4SinkTest, refuses_odd_sizes_with_the_reason) {
    try {
        write(test::smooth_video(1, 16, 15));
        FAIL() << "was not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(), testing::HasSubstr("15x16 (expected even numbers"));
    }
}

TEST_F(Mp4SinkTest, refuses_a_rate_that_is_none) {
    for (const double rate : {0.0, -16.0, std::numeric_limits<double>::quiet_NaN()}) {
        EXPECT_THROW(write(test::smooth_video(1, 16, 16), rate), Error) << rate;
    }
}

TEST_F(Mp4SinkTest, a_limit_of_the_system_on_file_sizes_is_an_error_that_leaves_nothing) {
    rlimit old{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
    const auto old_action = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{1000, old.rlim_max};
    const auto video = test::smooth_video(9, 64, 64);

    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
    EXPECT_THROW(write(video), Error);
    setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, old_action);

    EXPECT_TRUE(fs::is_empty(folder_.path()));
}

}  // namespace
}  // namespace reelyard::media
