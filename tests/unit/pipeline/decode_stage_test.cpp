#include "reelyard/pipeline/decode_stage.hpp"

#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"

namespace reelyard::pipeline {
namespace {

/// A codec whose frames are its latent's first three channels, in chunks of one frame; mean 10,
/// deviation 2.
class PassThroughCodec final : public models::VideoCodec {
public:
    at::Tensor encode(const at::Tensor& video, const models::TilingOptions& /*tiling*/) override {
        return video;
    }
    void decode(const at::Tensor& latent,
                const models::TilingOptions& tiling,
                const FrameConsumer& consume) override {
        tiled = tiling.enabled;
        for (std::int64_t f = 0; f < latent.size(2); ++f) {
            if (!consume(latent.narrow(2, f, 1))) {
                return;
            }
        }
    }
    at::Tensor denormalise(const at::Tensor& latent) const override { return latent * 2 + 10; }
    at::Tensor normalise(const at::Tensor& latent) const override { return (latent - 10) / 2; }

    bool tiled = false;
};

class RecordingSink final : public media::FrameSink {
public:
    void write(const media::FrameView& frames) override {
        frames_written += frames.frames;
        pixels.insert(pixels.end(), frames.pixels.begin(), frames.pixels.end());
    }
    std::vector<std::filesystem::path> finish() override { return {}; }

    std::int64_t frames_written = 0;
    std::vector<std::uint8_t> pixels;
};

TEST(DecodeStage, streams_denormalised_frames_in_order_as_pixels) {
    PassThroughCodec codec;
    RecordingSink sink;
    // Two frames of 1x2 pixels; the wanted decoder output, normalised.
    const at::Tensor wanted = at::tensor({-1.0F,
                                          1.0F,
                                          0.0F,
                                          0.5F,
                                          -2.0F,
                                          2.0F,  //
                                          -0.5F,
                                          0.25F,
                                          0.75F,
                                          -0.25F,
                                          0.125F,
                                          -1.0F})
                                  .view({2, 1, 2, 3})
                                  .permute({3, 0, 1, 2})
                                  .unsqueeze(0);

    const DecodedVideo video =
        DecodeStage(codec, {.enabled = true}).run(codec.normalise(wanted), {.sink = &sink});

    EXPECT_FALSE(video.frames.defined());
    EXPECT_FALSE(video.sink_failure);
    EXPECT_TRUE(codec.tiled);
    EXPECT_EQ(sink.frames_written, 2);
    // (v + 1) / 2 * 255, clamped and cut off: 0.5 -> 191.25, -0.5 -> 63.75 ...
    EXPECT_EQ(sink.pixels,
              (std::vector<std::uint8_t>{0, 255, 127, 191, 0, 255, 63, 159, 223, 95, 143, 0}));
}

TEST(DecodeStage, keeps_the_frames_as_floats_when_asked) {
    PassThroughCodec codec;
    RecordingSink sink;
    const at::Tensor latent = at::full({1, 3, 4, 2, 2}, -5.0);  // denormalised: 0, grey

    const at::Tensor frames =
        DecodeStage(codec, {}).run(latent, {.sink = &sink, .keep_frames = true}).frames;

    EXPECT_EQ(frames.sizes(), at::IntArrayRef({4, 3, 2, 2}));
    EXPECT_TRUE(at::equal(frames, at::full({4, 3, 2, 2}, 0.5)));
}

class FullDisk final : public media::FrameSink {
public:
    void write(const media::FrameView& /*frames*/) override {
        ++writes;
        fail(ErrorKind::storage, "video.mp4: no space left on device");
    }
    std::vector<std::filesystem::path> finish() override { return {}; }

    int writes = 0;
};

TEST(DecodeStage, ends_at_the_first_frames_that_the_sink_refuses_and_says_why) {
    PassThroughCodec codec;
    FullDisk sink;

    const DecodedVideo video =
        DecodeStage(codec, {}).run(at::zeros({1, 3, 4, 2, 2}), {.sink = &sink});

    EXPECT_EQ(sink.writes, 1);
    ASSERT_TRUE(video.sink_failure);
    EXPECT_THROW(std::rethrow_exception(video.sink_failure), Error);
}

}  // namespace
}  // namespace reelyard::pipeline
