#include "wan/vae/blocks.hpp"

#include <utility>

#include <ATen/ATen.h>

#include "reelyard/nn/attention.hpp"

namespace reelyard::models::wan {
namespace {

constexpr std::size_t history_length = 2;  // frames before the current one that a kernel of 3 sees

/// The last `history_length` frames of history and chunk.
nn::FrameList last_frames(const nn::FrameList& frames) {
    const std::size_t kept = std::min(frames.size(), history_length);
    return {frames.end() - static_cast<std::ptrdiff_t>(kept), frames.end()};
}

/// The history in front of the chunk, filled up to `history_length` with frames of zeros.
nn::FrameList with_history(const nn::FrameList& history, const nn::FrameList& chunk) {
    nn::FrameList frames(history_length - history.size());
    frames.insert(frames.end(), history.begin(), history.end());
    frames.insert(frames.end(), chunk.begin(), chunk.end());
    return frames;
}

nn::ChannelNorm make_norm(const store::WeightSet& weights,
                          const std::string& name,
                          nn::Activation activation) {
    return {weights.get(name + ".gamma"), activation};
}

/// A convolution of frames, from a weight [O, I, kh, kw] or [O, I, 1, kh, kw].
nn::FrameConv make_frame_conv(const store::WeightSet& weights,
                              const nn::FrameConvOptions& options) {
    const at::Tensor weight = weights.get("weight");
    return {weight.dim() == 4 ? weight.unsqueeze(2) : weight, weights.get("bias"), options};
}

nn::UpsampleConv make_upsample_conv(const store::WeightSet& weights) {
    return {weights.get("weight"), weights.get("bias")};
}

}  // namespace

StreamState::Slot& StreamState::next_slot() {
    if (next_ == slots_.size()) {
        slots_.emplace_back();
    }
    return slots_[next_++];
}

CausalConv::CausalConv(const store::WeightSet& weights)
    : conv_(make_frame_conv(weights, {.pad_before = 1, .pad_after = 1})) {}

nn::FrameList CausalConv::operator()(nn::FrameList frames,
                                     StreamState& state,
                                     const nn::FrameList& addends) const {
    const Bands::Extended band = state.bands().with_halo(std::move(frames), conv_.options());
    StreamState::Slot& slot = state.next_slot();
    const nn::FrameList extended = with_history(slot.frames, band.frames);
    slot.frames = last_frames(extended);
    return conv_(extended, addends, band.halo);
}

nn::FrameConv make_pointwise_conv(const store::WeightSet& weights) {
    return make_frame_conv(weights, {});
}

ResidualBlock::ResidualBlock(const store::WeightSet& weights)
    : norm1_(make_norm(weights, "norm1", nn::Activation::silu))
    , conv1_(weights.scope("conv1"))
    , norm2_(make_norm(weights, "norm2", nn::Activation::silu))
    , conv2_(weights.scope("conv2")) {
    if (weights.contains("conv_shortcut.weight")) {
        shortcut_ = make_pointwise_conv(weights.scope("conv_shortcut"));
    }
}

nn::FrameList ResidualBlock::operator()(nn::FrameList frames, StreamState& state) const {
    const nn::FrameList hidden = conv1_(norm1_(frames), state);
    if (shortcut_) {
        frames = (*shortcut_)(frames);
    }
    return conv2_(norm2_(hidden), state, frames);
}

AttentionBlock::AttentionBlock(const store::WeightSet& weights)
    : norm_(make_norm(weights, "norm", nn::Activation::none))
    , to_qkv_(make_pointwise_conv(weights.scope("to_qkv")))
    , proj_(make_pointwise_conv(weights.scope("proj"))) {}

at::Tensor AttentionBlock::attend(const at::Tensor& qkv, const Bands& bands) {
    const std::int64_t channels = qkv.size(3) / 3;
    // One head: [B, H, W, C] to [B, H W, 1, C].
    const auto as_tokens = [](const at::Tensor& x) {
        return x.flatten(1, 2).unsqueeze(2).contiguous();
    };
    const at::Tensor q = as_tokens(qkv.narrow(3, 0, channels));
    const at::Tensor kv = bands.whole(qkv.narrow(3, channels, 2 * channels).contiguous());
    at::Tensor out = at::empty({q.size(0), q.size(1), channels}, q.options());
    if (out.numel() > 0) {
        nn::attention(q,
                      as_tokens(kv.narrow(3, 0, channels)),
                      as_tokens(kv.narrow(3, channels, channels)),
                      {},
                      out);
    }
    return out.view({qkv.size(0), qkv.size(1), qkv.size(2), channels});
}

nn::FrameList AttentionBlock::operator()(const nn::FrameList& frames, StreamState& state) const {
    nn::FrameList attended = to_qkv_(norm_(frames));
    for (at::Tensor& frame : attended) {
        frame = attend(frame, state.bands());
    }
    return proj_(attended, frames);
}

Downsample::Downsample(const store::WeightSet& weights)
    : conv_(make_frame_conv(weights.scope("resample.1"), {.stride = 2, .pad_after = 1})) {
    if (weights.contains("time_conv.weight")) {
        time_conv_ = make_frame_conv(weights.scope("time_conv"), {.frame_stride = 2});
    }
}

nn::FrameList Downsample::operator()(nn::FrameList frames, StreamState& state) const {
    const Bands::Extended band = state.bands().with_halo(std::move(frames), conv_.options());
    frames = conv_(band.frames, {}, band.halo);
    if (!time_conv_) {
        return frames;
    }
    StreamState::Slot& slot = state.next_slot();
    if (std::exchange(slot.has_started, true)) {
        frames.insert(frames.begin(), slot.frames.begin(), slot.frames.end());
        slot.frames = {frames.back()};
        return (*time_conv_)(frames);
    }
    slot.frames = {frames.back()};
    return frames;
}

Upsample::Upsample(const store::WeightSet& weights)
    : conv_(make_upsample_conv(weights.scope("resample.1"))) {
    if (weights.contains("time_conv.weight")) {
        const std::vector<at::Tensor> weight = weights.get("time_conv.weight").chunk(2, 0);
        const std::vector<at::Tensor> bias = weights.get("time_conv.bias").chunk(2, 0);
        time_conv_.emplace(
            TimeConv{nn::FrameConv(weight[0], bias[0]), nn::FrameConv(weight[1], bias[1])});
    }
}

nn::FrameList Upsample::enlarged(nn::FrameList frames, const Bands& bands) const {
    const Bands::Extended band =
        bands.with_halo(std::move(frames), {.pad_before = 1, .pad_after = 1});
    return conv_(band.frames, band.halo);
}

nn::FrameList Upsample::operator()(const nn::FrameList& frames, StreamState& state) const {
    if (!time_conv_) {
        return enlarged(frames, state.bands());
    }
    StreamState::Slot& slot = state.next_slot();
    if (!std::exchange(slot.has_started, true)) {
        return enlarged(frames, state.bands());  // and it never becomes part of the history
    }
    const nn::FrameList extended = with_history(slot.frames, frames);
    slot.frames = last_frames(extended);
    const nn::FrameList earlier = time_conv_->earlier(extended);
    const nn::FrameList later = time_conv_->later(extended);
    nn::FrameList doubled;
    for (std::size_t i = 0; i < earlier.size(); ++i) {
        doubled.push_back(earlier[i]);
        doubled.push_back(later[i]);
    }
    return enlarged(std::move(doubled), state.bands());
}

Block make_block(const VaeLayer& layer, const store::WeightSet& weights) {
    using Kind = VaeLayer::Kind;
    const store::WeightSet scope = weights.scope(layer.name);
    switch (layer.kind) {
        case Kind::residual:
            return ResidualBlock(scope);
        case Kind::attention:
            return AttentionBlock(scope);
        case Kind::downsample2d:
        case Kind::downsample3d:
            return Downsample(scope);
        case Kind::upsample2d:
        case Kind::upsample3d:
            break;
    }
    return Upsample(scope);
}

}  // namespace reelyard::models::wan
