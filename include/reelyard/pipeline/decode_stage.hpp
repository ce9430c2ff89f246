#pragma once

#include <exception>

#include <ATen/core/Tensor.h>

#include "reelyard/media/frame_sink.hpp"
#include "reelyard/models/video_codec.hpp"

namespace reelyard::pipeline {

/// What becomes of the frames of one video.
struct FrameOutputs {
    media::FrameSink* sink = nullptr;  ///< on the first rank of the group
    bool keep_frames = false;          ///< also return them as floats
};

/// What came of one video, on the first rank of the group.
struct DecodedVideo {
    at::Tensor frames;  ///< [F, 3, H, W] float32 in [0, 1] on the CPU if they are kept
    /// Why the sink did not take the frames; decoding has then ended early on all ranks.
    std::exception_ptr sink_failure;
};

/// From latent to frames: decodes in chunks of time and streams them into the sink.
class DecodeStage {
public:
    /// \param codec outlives the stage
    DecodeStage(models::VideoCodec& codec, const models::TilingOptions& tiling);

    /// Collective over the codec's group. Does not finish the sink.
    /// \param latent [1, C, f, h, w] float32, as the sampler leaves it, the same on all ranks
    [[nodiscard]] DecodedVideo run(const at::Tensor& latent, const FrameOutputs& outputs) const;

private:
    models::VideoCodec& codec_;
    models::TilingOptions tiling_;
};

/// Frames [F, 3, H, W] float32 in [0, 1] as uint8 [F, H, W, 3]: times 255, cut off (as the
/// reference writes videos).
[[nodiscard]] at::Tensor to_pixels(const at::Tensor& frames);

}  // namespace reelyard::pipeline
