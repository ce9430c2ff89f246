#include "font.hpp"

#include <gmock/gmock.h>

namespace reelyard::media {
namespace {

TEST(CodePoints, reads_one_to_four_bytes) {
    EXPECT_EQ(to_code_points("aé猫😀"), U"aé猫😀");
}

TEST(CodePoints, replaces_what_is_no_utf8) {
    EXPECT_EQ(to_code_points("a\xFF"
                             "b"),
              U"a\uFFFDb");
    EXPECT_EQ(to_code_points("\xE7\x8C"), U"\uFFFD");  // cut off
    EXPECT_EQ(to_code_points("\x8C"
                             "a"),
              U"\uFFFDa");  // no start
}

class FontTest : public testing::Test {
protected:
    void SetUp() override {
        if (!font_) {
            GTEST_SKIP() << "no font on this machine";
        }
    }

    std::optional<Font> font_ = Font::find();
};

TEST_F(FontTest, wraps_at_spaces_within_the_width) {
    const auto lines = font_->wrap("a large  red circle\nmoving left", 13, 90, 9);

    EXPECT_GT(lines.size(), 1U);
    std::u32string joined;
    for (const auto& line : lines) {
        EXPECT_LE(font_->width(line, 13), 90);
        joined += joined.empty() ? line : U" " + line;
    }
    EXPECT_EQ(joined, U"a large red circle moving left");
}

TEST_F(FontTest, breaks_words_that_are_too_long) {
    const std::string word(200, 'w');

    const auto lines = font_->wrap(word, 13, 100, 99);

    std::u32string joined;
    for (const auto& line : lines) {
        EXPECT_LE(font_->width(line, 13), 100);
        joined += line;
    }
    EXPECT_EQ(joined, std::u32string(200, U'w'));
}

TEST_F(FontTest, cuts_off_with_an_ellipsis) {
    const auto lines = font_->wrap(std::string(50, 'w') + " and more and more", 13, 100, 2);

    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(lines.back().back(), U'\u2026');
    EXPECT_LE(font_->width(lines.back(), 13), 100);
}

TEST_F(FontTest, an_empty_text_has_no_lines) {
    EXPECT_TRUE(font_->wrap("  \n", 13, 100, 5).empty());
    EXPECT_TRUE(font_->wrap("word", 13, 100, 0).empty());
}

TEST_F(FontTest, ink_stays_between_the_lines) {
    Canvas canvas(200, 40, {255, 255, 255});

    font_->draw(canvas, U"Ägjpq|", {.x = 10, .y = 10, .size = 15});

    const auto pixels = canvas.view().pixels;
    std::int64_t dark = 0;
    for (std::int64_t y = 0; y < 40; ++y) {
        for (std::int64_t x = 0; x < 200; ++x) {
            if (pixels[static_cast<std::size_t>(3 * (y * 200 + x))] < 128) {
                ++dark;
                EXPECT_GE(y, 10 - 2) << x;
                EXPECT_LT(y, 10 + Font::line_height(15)) << x;
            }
        }
    }
    EXPECT_GT(dark, 50);
}

}  // namespace
}  // namespace reelyard::media
