#include "reelyard/media/contact_sheet.hpp"

#include <cstdlib>
#include <filesystem>

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
using Colour = std::vector<std::uint8_t>;

class ContactSheetTest : public testing::Test {
protected:
    fs::path write_video(const std::string& id, const test::TestVideo& video) const {
        auto sink = make_sink(
            "png",
            {.folder = folder_.path(), .id = id, .width = video.width, .height = video.height});
        sink->write(video.view());
        sink->finish();
        return folder_ / id;
    }

    /// The sheet, read as a video of one frame.
    [[nodiscard]] Video write_sheet(const std::vector<ContactRow>& rows) const {
        const fs::path sheet = folder_ / "sheet";
        fs::create_directory(sheet);
        write_contact_sheet(sheet / "sheet.png", rows);
        EXPECT_EQ(posix_file_system().list(sheet), std::vector<std::string>{"sheet.png"});
        return read_video(sheet);
    }

    test::TemporaryFolder folder_;
};

std::int64_t count(const Video& sheet, const Colour& colour) {
    std::int64_t found = 0;
    for (std::size_t i = 0; i < sheet.pixels.size(); i += 3) {
        found += std::equal(
            colour.begin(), colour.end(), sheet.pixels.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return found;
}

TEST_F(ContactSheetTest, shows_evenly_spaced_frames_enlarged_by_a_whole_factor) {
    // Nine frames of 64x64 (factor 2): eight are shown, the first and the last among them, and the
    // one left out is the eighth (7/7 of 8 is the last, 6/7 of 8 rounded down the seventh).
    std::vector<Colour> colours;
    for (int f = 0; f < 9; ++f) {
        colours.push_back({static_cast<std::uint8_t>(20 * f + 30), 7, 201});
    }
    const auto video = write_video("a", test::flat_video(colours, 64, 64));

    const Video sheet = write_sheet({{.id = "a", .text = "flat", .video = video}});

    for (std::size_t f = 0; f < colours.size(); ++f) {
        EXPECT_EQ(count(sheet, colours[f]), f == 7 ? 0 : 128 * 128) << "frame " << f;
    }
}

TEST_F(ContactSheetTest, shows_large_videos_reduced_and_short_ones_whole) {
    const Colour red{200, 10, 10};
    const auto video = write_video("a", test::flat_video({red, red}, 320, 416));

    const Video sheet = write_sheet({{.id = "a", .text = "large", .video = video}});

    EXPECT_EQ(count(sheet, red), 2 * 208 * 160);
}

TEST_F(ContactSheetTest, a_failed_or_unreadable_video_keeps_its_row) {
    const Colour green{10, 180, 10};
    const auto video = write_video("a", test::flat_video({green}, 32, 32));
    const ContactRow good{.id = "a", .text = "one", .video = video};
    const ContactRow failed{.id = "b", .text = "two", .video = {}, .note = "ran out of memory"};
    const ContactRow gone{.id = "c", .text = "three", .video = folder_ / "nowhere.mp4"};

    const Video one = write_sheet({good});
    const Video three = write_sheet({good, failed, gone});

    EXPECT_GT(three.info.height, one.info.height + 100);
    EXPECT_EQ(three.info.width, one.info.width);
    EXPECT_EQ(count(three, green), count(one, green));
}

TEST_F(ContactSheetTest, without_a_font_the_frames_are_there_and_no_text) {
    const Colour blue{10, 10, 180};
    const Colour paper{255, 255, 255};
    const auto video = write_video("a", test::flat_video({blue}, 32, 32));

    setenv("REELYARD_FONT", (folder_ / "nowhere.ttf").c_str(), 1);
    const Video sheet = write_sheet({{.id = "a", .text = "some text", .video = video}});
    unsetenv("REELYARD_FONT");

    EXPECT_EQ(count(sheet, blue), 160 * 160);
    EXPECT_EQ(count(sheet, paper), sheet.info.height * sheet.info.width - 160 * 160);
}

TEST_F(ContactSheetTest, counts_what_it_does_not_show) {
    const ContactRow row{.id = "x", .text = "nothing", .video = {}, .note = "failed"};

    const Video full = write_sheet(std::vector<ContactRow>(max_contact_rows, row));
    const Video more = write_sheet(std::vector<ContactRow>(max_contact_rows + 50, row));

    EXPECT_GT(more.info.height, full.info.height);
    EXPECT_LT(more.info.height, full.info.height + 100);
}

TEST_F(ContactSheetTest, full_disk_leaves_nothing) {
    test::FullDisk disk(10);

    EXPECT_THROW(
        write_contact_sheet(
            folder_ / "sheet.png", {{.id = "x", .text = "x", .video = {}, .note = "failed"}}, disk),
        Error);
    EXPECT_TRUE(fs::is_empty(folder_.path()));
}

}  // namespace
}  // namespace reelyard::media
