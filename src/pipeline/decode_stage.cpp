#include "reelyard/pipeline/decode_stage.hpp"

#include <vector>

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include "reelyard/base/error.hpp"

namespace reelyard::pipeline {
namespace {

/// Decoded [1, 3, F, H, W] in [-1, 1] -> [F, 3, H, W] in [0, 1] on the CPU.
at::Tensor to_unit_range(const at::Tensor& decoded) {
    return (decoded / 2 + 0.5).clamp(0, 1).squeeze(0).transpose(0, 1).cpu();
}

media::FrameView view_of(const at::Tensor& pixels) {
    return {
        .pixels = {pixels.const_data_ptr<std::uint8_t>(), static_cast<std::size_t>(pixels.numel())},
        .frames = pixels.size(0),
        .height = pixels.size(1),
        .width = pixels.size(2)};
}

}  // namespace

DecodeStage::DecodeStage(models::VideoCodec& codec, const models::TilingOptions& tiling)
    : codec_(codec)
    , tiling_(tiling) {}

DecodedVideo DecodeStage::run(const at::Tensor& latent, const FrameOutputs& outputs) const {
    const c10::InferenceMode inference;
    REELYARD_EXPECT(latent.dim() == 5 && latent.size(0) == 1);
    DecodedVideo video;
    std::vector<at::Tensor> kept;
    codec_.decode(codec_.denormalise(latent), tiling_, [&](const at::Tensor& decoded) {
        const at::Tensor frames = to_unit_range(decoded);
        try {
            outputs.sink->write(view_of(to_pixels(frames)));
        } catch (...) {
            video.sink_failure = std::current_exception();
            return false;
        }
        if (outputs.keep_frames) {
            kept.push_back(frames.contiguous());
        }
        return true;
    });
    if (!kept.empty()) {
        video.frames = at::cat(kept, 0);
    }
    return video;
}

at::Tensor to_pixels(const at::Tensor& frames) {
    return (frames * 255).to(at::kByte).permute({0, 2, 3, 1}).contiguous();
}

}  // namespace reelyard::pipeline
