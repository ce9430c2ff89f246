#include "reelyard/media/video_reader.hpp"

#include <filesystem>

#include <gmock/gmock.h>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/media/sink_registry.hpp"

#include "test_video.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::media {
namespace {

namespace fs = std::filesystem;

void expect_refused(const fs::path& path, const std::string& part) {
    try {
        static_cast<void>(read_video(path));
        FAIL() << path << " was read";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(),
                    testing::AllOf(testing::HasSubstr(path.string()), testing::HasSubstr(part)));
    }
}

class VideoReaderTest : public testing::Test {
protected:
    fs::path write(const std::string& sink_name, const test::TestVideo& video) const {
        auto sink = make_sink(sink_name,
                              {.folder = folder_.path(),
                               .id = "clip",
                               .width = video.width,
                               .height = video.height,
                               .frames_per_second = 24.0});
        sink->write(video.view());
        sink->finish();
        return folder_ / sink_output(sink_name, "clip");
    }

    test::TemporaryFolder folder_;
};

TEST_F(VideoReaderTest, knows_size_frames_and_rate_before_the_first_frame) {
    const VideoReader file(write("mp4", test::smooth_video(5, 32, 48)));
    const VideoReader frames(write("png", test::smooth_video(4, 16, 32)));

    EXPECT_EQ(file.info().frames, 5);
    EXPECT_EQ(file.info().height, 32);
    EXPECT_EQ(file.info().width, 48);
    EXPECT_EQ(file.info().frames_per_second, 24.0);
    EXPECT_EQ(frames.info().frames, 4);
    EXPECT_EQ(frames.info().height, 16);
    EXPECT_EQ(frames.info().width, 32);
    EXPECT_EQ(frames.info().frames_per_second, 0.0);
}

TEST_F(VideoReaderTest, gives_nothing_after_the_last_frame) {
    for (const auto& name : sink_names()) {
        VideoReader reader(write(name, test::smooth_video(2, 16, 16)));

        EXPECT_TRUE(reader.next().has_value());
        EXPECT_TRUE(reader.next().has_value());
        EXPECT_FALSE(reader.next().has_value());
        EXPECT_FALSE(reader.next().has_value());
    }
}

TEST_F(VideoReaderTest, names_what_is_no_video) {
    write_file_atomically(folder_ / "text.mp4", "this is no video");
    fs::create_directory(folder_ / "empty");

    expect_refused(folder_ / "missing.mp4", "No such file");
    expect_refused(folder_ / "text.mp4", "opening failed");
    expect_refused(folder_ / "empty", "without pictures");
}

TEST_F(VideoReaderTest, names_the_frame_that_has_another_size) {
    const fs::path folder = write("png", test::smooth_video(2, 16, 16));
    const test::TemporaryFolder other;
    const auto video = test::smooth_video(1, 32, 16);
    auto sink = make_sink("png", {.folder = other.path(), .id = "big", .width = 16, .height = 32});
    sink->write(video.view());
    sink->finish();
    fs::copy_file(other / "big/000000.png", folder / "000002.png");

    try {
        static_cast<void>(read_video(folder));
        FAIL() << "was read";
    } catch (const Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr("000002.png: is 16x32 (expected 16x16"));
    }
}

}  // namespace
}  // namespace reelyard::media
