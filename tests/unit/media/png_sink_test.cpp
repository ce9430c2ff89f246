#include <filesystem>

#include <gmock/gmock.h>

#include "reelyard/base/error.hpp"
#include "reelyard/base/file_system.hpp"
#include "reelyard/media/sink_registry.hpp"
#include "reelyard/media/video_reader.hpp"

#include "png_image.hpp"
#include "test_video.hpp"

#include "reelyard/test/temporary_folder.hpp"

namespace reelyard::media {
namespace {

TEST(PngSink, frames_come_back_bit_for_bit_and_are_numbered) {
    const test::TemporaryFolder folder;
    const auto video = test::smooth_video(3, 18, 31);

    auto sink =
        make_sink("png", {.folder = folder.path(), .id = "clip", .width = 31, .height = 18});
    sink->write(video.view());
    const auto paths = sink->finish();

    EXPECT_THAT(paths,
                testing::ElementsAre("clip/000000.png", "clip/000001.png", "clip/000002.png"));
    EXPECT_EQ(read_video(folder / "clip").pixels, video.pixels);
}

TEST(PngImage, damaged_and_foreign_files_are_named) {
    const test::TemporaryFolder folder;
    const auto video = test::smooth_video(1, 64, 64);
    const auto png = encode_png({64, 64, video.pixels}, "a.png");
    const std::span whole(png);

    for (const auto part : {whole.first(0), whole.first(20), whole.subspan(8)}) {
        posix_file_system().open(folder / "a.png", FileSystem::Mode::truncate)->write(part);
        try {
            static_cast<void>(read_png(folder / "a.png"));
            FAIL() << "was read";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_THAT(error.what(), testing::HasSubstr("a.png"));
        }
    }
}

}  // namespace
}  // namespace reelyard::media
