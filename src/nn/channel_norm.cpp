#include "reelyard/nn/channel_norm.hpp"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"
#include "reelyard/nn/parallel.hpp"

#include "frame_conv_cpu.hpp"

namespace reelyard::nn {
namespace {

constexpr double smallest_norm = 1e-12;
constexpr std::int64_t task_size = 1 << 16;  // floats

/// \param scaled_gain [C] with the factor sqrt(C)
at::Tensor normalised_reference(const at::Tensor& x,
                                const at::Tensor& scaled_gain,
                                Activation activation) {
    const at::Tensor norm = at::linalg_vector_norm(x, 2, at::IntArrayRef({-1}), true);
    const at::Tensor y = x / norm.clamp_min(smallest_norm) * scaled_gain;
    return activation == Activation::silu ? at::silu(y) : y;
}

at::Tensor normalised(const at::Tensor& x,
                      const at::Tensor& scaled_gain,
                      Activation activation,
                      InstructionSet instructions) {
    at::Tensor y = at::empty_like(x);
    const std::int64_t channels = scaled_gain.size(0);
    const std::int64_t pixels = x.numel() / channels;
    const std::int64_t per_task = std::max<std::int64_t>(task_size / channels, 1);
    const kernels::FrameKernels& kernels = frame_kernels(instructions);
    const auto body = [&](std::int64_t task) {
        const std::int64_t first = task * per_task;
        kernels.normalise({.in = x.const_data_ptr<float>() + first * channels,
                           .out = y.data_ptr<float>() + first * channels,
                           .gain = scaled_gain.const_data_ptr<float>(),
                           .pixels = std::min(per_task, pixels - first),
                           .channels = channels,
                           .silu = activation == Activation::silu});
    };
    if (pixels <= per_task) {
        body(0);
    } else {
        for_each_task((pixels + per_task - 1) / per_task, body);
    }
    return y;
}

}  // namespace

ChannelNorm::ChannelNorm(const at::Tensor& gain, Activation activation, InstructionSet instructions)
    : gain_((gain.flatten() * std::sqrt(static_cast<double>(gain.numel()))).contiguous())
    , activation_(activation)
    , instructions_(gain.is_cpu() ? instructions : InstructionSet::reference) {
    REELYARD_EXPECT(gain.scalar_type() == at::kFloat);
}

FrameList ChannelNorm::operator()(const FrameList& frames) const {
    FrameList out;
    for (const at::Tensor& frame : frames) {
        REELYARD_EXPECT(frame.is_contiguous() && frame.scalar_type() == at::kFloat &&
                        frame.size(-1) == gain_.size(0));
        out.push_back(instructions_ == InstructionSet::reference
                          ? normalised_reference(frame, gain_, activation_)
                          : normalised(frame, gain_, activation_, instructions_));
    }
    return out;
}

}  // namespace reelyard::nn
