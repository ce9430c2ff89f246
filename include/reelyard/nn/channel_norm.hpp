#pragma once

#include <ATen/core/Tensor.h>

#include "reelyard/nn/frame_conv.hpp"
#include "reelyard/nn/instruction_set.hpp"

namespace reelyard::nn {

/// What follows a normalisation.
enum class Activation { none, silu };

/// Normalises each pixel to the length sqrt(C) over its channels and scales it by a gain:
/// y = act(x / max(|x|, 1e-12) * sqrt(C) * gain). In one pass over memory.
class ChannelNorm {
public:
    /// \param gain C elements of any shape, float32
    ChannelNorm(const at::Tensor& gain,
                Activation activation,
                InstructionSet instructions = best_instruction_set());

    /// \param frames each [B, H, W, C]
    [[nodiscard]] FrameList operator()(const FrameList& frames) const;

private:
    at::Tensor gain_;  ///< [C] float32
    Activation activation_;
    InstructionSet instructions_;
};

}  // namespace reelyard::nn
