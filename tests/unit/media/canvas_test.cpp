#include "canvas.hpp"

#include <gmock/gmock.h>

namespace reelyard::media {
namespace {

using testing::ElementsAre;

constexpr std::array<std::uint8_t, 12> two_by_two{10, 0, 0, 20, 0, 0, 30, 0, 0, 41, 0, 0};

TEST(Canvas, whole_factors_repeat_pixels) {
    const Image image = resize({2, 2, two_by_two}, 4, 2);

    EXPECT_EQ(image.width, 4);
    EXPECT_EQ(image.height, 2);
    EXPECT_THAT(image.pixels,
                ElementsAre(10,
                            0,
                            0,
                            10,
                            0,
                            0,
                            20,
                            0,
                            0,
                            20,
                            0,
                            0,  //
                            30,
                            0,
                            0,
                            30,
                            0,
                            0,
                            41,
                            0,
                            0,
                            41,
                            0,
                            0));
}

TEST(Canvas, reducing_takes_the_rounded_mean) {
    const Image image = resize({2, 2, two_by_two}, 1, 1);

    EXPECT_THAT(image.pixels, ElementsAre(25, 0, 0));  // 101 / 4 = 25.25
}

TEST(Canvas, cuts_off_what_lies_outside) {
    Canvas canvas(2, 1, {1, 1, 1});

    canvas.fill({1, -3, 9, 9}, {7, 7, 7});
    canvas.draw({2, 2, two_by_two}, 1, 0);
    canvas.draw({2, 2, two_by_two}, 5, 5);
    canvas.blend(-1, 0, {9, 9, 9}, 255);
    canvas.blend(0, 2, {9, 9, 9}, 255);

    EXPECT_THAT(canvas.view().pixels, ElementsAre(1, 1, 1, 10, 0, 0));
}

TEST(Canvas, blends_by_coverage) {
    Canvas canvas(3, 1, {100, 100, 100});

    canvas.blend(0, 0, {200, 0, 100}, 0);
    canvas.blend(1, 0, {200, 0, 100}, 51);  // a fifth
    canvas.blend(2, 0, {200, 0, 100}, 255);

    EXPECT_THAT(canvas.view().pixels, ElementsAre(100, 100, 100, 120, 80, 100, 200, 0, 100));
}

}  // namespace
}  // namespace reelyard::media
