// What every sink has to do; a new one gets these tests by being registered.
#include <filesystem>
#include <functional>

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"
#include "reelyard/media/sink_registry.hpp"
#include "reelyard/media/video_reader.hpp"

#include "test_video.hpp"

#include "reelyard/test/fake_file_system.hpp"
#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::media {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> everything_below(const fs::path& folder) {
    std::vector<std::string> paths;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        paths.push_back(entry.path().lexically_relative(folder).generic_string());
    }
    return paths;
}

class SinkSuite : public testing::TestWithParam<std::string> {
protected:
    [[nodiscard]] std::unique_ptr<FrameSink> make(const test::TestVideo& video,
                                                  FileSystem& files = posix_file_system()) const {
        return make_sink(GetParam(),
                         {.folder = folder_.path(),
                          .id = "clip",
                          .width = video.width,
                          .height = video.height,
                          .frames_per_second = 16.0},
                         files);
    }
    [[nodiscard]] fs::path output() const { return folder_ / sink_output(GetParam(), "clip"); }

    [[nodiscard]] std::vector<std::string> contents(const std::vector<fs::path>& paths) const {
        std::vector<std::string> texts;
        for (const auto& path : paths) {
            texts.push_back(path.generic_string() + read_text_file(folder_ / path));
        }
        return texts;
    }

    test::TemporaryFolder folder_;
};

TEST_P(SinkSuite, keeps_all_frames_in_order) {
    const auto video = test::smooth_video(17, 48, 80);

    auto sink = make(video);
    sink->write(video.view());
    sink->finish();

    const Video read = read_video(output());
    EXPECT_EQ(read.info.frames, 17);
    EXPECT_EQ(read.info.height, 48);
    EXPECT_EQ(read.info.width, 80);
    for (std::int64_t f = 0; f < 17; ++f) {
        const auto got = read.view();
        const std::size_t size = 3 * 48 * 80;
        const auto frame = got.pixels.subspan(static_cast<std::size_t>(f) * size, size);
        EXPECT_GT(test::psnr(frame, video.slice(f, 1).pixels), 40.0) << "frame " << f;
    }
}

TEST_P(SinkSuite, makes_the_same_bytes_however_the_frames_come) {
    const auto video = test::smooth_video(9, 32, 32);

    auto at_once = make(video);
    at_once->write(video.view());
    const auto first = contents(at_once->finish());
    auto in_pieces = make(video);
    in_pieces->write(video.slice(0, 1));
    in_pieces->write(video.slice(1, 0));
    in_pieces->write(video.slice(1, 4));
    in_pieces->write(video.slice(5, 4));

    EXPECT_TRUE(contents(in_pieces->finish()) == first);
}

TEST_P(SinkSuite, writes_a_single_frame) {
    const auto video = test::smooth_video(1, 16, 16);

    auto sink = make(video);
    sink->write(video.view());
    sink->finish();

    EXPECT_EQ(read_video(output()).info.frames, 1);
}

TEST_P(SinkSuite, names_what_it_made_and_makes_nothing_else) {
    const auto video = test::smooth_video(3, 16, 16);

    auto sink = make(video);
    sink->write(video.view());
    const auto paths = sink->finish();
    sink.reset();

    ASSERT_FALSE(paths.empty());
    std::vector<std::string> expected;
    for (const auto& path : paths) {
        EXPECT_TRUE(fs::is_regular_file(folder_ / path)) << path;
        expected.push_back(path.generic_string());
    }
    if (fs::is_directory(output())) {
        expected.push_back(sink_output(GetParam(), "clip").generic_string());
    }
    EXPECT_THAT(everything_below(folder_.path()), testing::UnorderedElementsAreArray(expected));
}

TEST_P(SinkSuite, has_nothing_under_the_final_name_before_it_is_finished) {
    const auto video = test::smooth_video(5, 16, 16);

    auto sink = make(video);
    sink->write(video.view());

    EXPECT_FALSE(fs::exists(output()));
}

TEST_P(SinkSuite, leaves_nothing_behind_when_not_finished) {
    const auto video = test::smooth_video(5, 16, 16);

    auto sink = make(video);
    sink->write(video.view());
    sink.reset();

    EXPECT_THAT(everything_below(folder_.path()), testing::IsEmpty());
}

TEST_P(SinkSuite, takes_the_place_of_an_earlier_output) {
    const auto earlier = test::smooth_video(7, 16, 16);
    const auto later = test::smooth_video(2, 32, 32);
    auto sink = make(earlier);
    sink->write(earlier.view());
    sink->finish();

    sink = make(later);
    sink->write(later.view());
    sink->finish();

    EXPECT_EQ(read_video(output()).info.frames, 2);
    EXPECT_EQ(read_video(output()).info.width, 32);
}

TEST_P(SinkSuite, refuses_frames_of_another_size) {
    const auto video = test::smooth_video(2, 16, 32);
    const auto other = test::smooth_video(2, 32, 16);
    const auto sink = make(video);
    const auto missing_pixels =
        FrameView{video.view().pixels.first(100), video.frames, video.height, video.width};

    EXPECT_THROW(sink->write(other.view()), Error);
    EXPECT_THROW(sink->write(missing_pixels), Error);
}

TEST_P(SinkSuite, refuses_to_finish_without_a_frame) {
    const auto sink = make(test::smooth_video(1, 16, 16));

    EXPECT_THROW(sink->finish(), Error);
}

TEST_P(SinkSuite, refuses_an_empty_size) {
    try {
        static_cast<void>(make({.frames = 1, .height = 0, .width = 16}));
        FAIL() << "was not refused";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.what(), testing::HasSubstr("16x0"));
    }
}

TEST_P(SinkSuite, tells_of_a_full_disk_and_leaves_nothing) {
    const auto video = test::smooth_video(9, 64, 64);
    for (const std::int64_t room : {0, 1, 300, 700}) {
        test::FullDisk disk(room);
        try {
            auto sink = make(video, disk);
            sink->write(video.view());
            sink->finish();
            FAIL() << "went through with room for " << room << " bytes";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::resources);
            EXPECT_THAT(error.what(), testing::HasSubstr("clip"));
        }
        EXPECT_THAT(everything_below(folder_.path()), testing::IsEmpty()) << room;
    }
}

TEST_P(SinkSuite, is_whole_or_absent_after_a_crash_at_any_instant) {
    const auto video = test::smooth_video(4, 16, 16);
    bool whole = false;
    for (int changes = 0; !whole; ++changes) {
        ASSERT_LT(changes, 100);
        fs::remove_all(output());
        test::CrashingDisk disk(changes);
        try {
            auto sink = make(video, disk);
            sink->write(video.view());
            sink->finish();
            whole = true;
        } catch (const test::Crash&) {
            whole = false;
        }
        disk.lose_unsynced();

        if (fs::exists(output())) {
            EXPECT_EQ(read_video(output()).info.frames, 4) << "crash at change " << changes;
        } else {
            EXPECT_FALSE(whole);
        }
    }
}

TEST_P(SinkSuite, goes_on_where_a_crash_left_its_rest) {
    const auto video = test::smooth_video(4, 16, 16);
    test::CrashingDisk disk(3);
    try {
        auto sink = make(video, disk);
        sink->write(video.view());
        sink->finish();
    } catch (const test::Crash&) {
    }

    auto sink = make(video);
    sink->write(video.view());
    sink->finish();

    EXPECT_EQ(read_video(output()).info.frames, 4);
}

INSTANTIATE_TEST_SUITE_P(Registry,
                         SinkSuite,
                         testing::ValuesIn(sink_names()),
                         [](const auto& parameter) { return parameter.param; });

TEST(SinkRegistry, names_the_known_sinks_when_one_is_unknown) {
    for (const auto& call :
         std::vector<std::function<void()>>{[] { check_sink("gif"); },
                                            [] { static_cast<void>(sink_output("gif", "clip")); },
                                            [] {
                                                static_cast<void>(make_sink("gif", {}));
                                            }}) {
        try {
            call();
            FAIL() << "was not refused";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage);
            EXPECT_THAT(
                error.what(),
                testing::AllOf(testing::HasSubstr("'gif'"), testing::HasSubstr("mp4, png")));
        }
    }
}

TEST(SinkRegistry, finds_the_encoders_of_all_sinks) {
    for (const auto& name : sink_names()) {
        EXPECT_NO_THROW(check_sink(name)) << name;
    }
}

}  // namespace
}  // namespace reelyard::media
