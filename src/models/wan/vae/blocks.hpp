#pragma once

#include <deque>
#include <optional>
#include <variant>

#include "reelyard/nn/channel_norm.hpp"
#include "reelyard/nn/frame_conv.hpp"
#include "reelyard/store/weight_set.hpp"

#include "wan/vae/bands.hpp"
#include "wan/vae/config.hpp"

namespace reelyard::models::wan {

/// What the layers remember of the frames before, while a video goes through in chunks, and which
/// rows of it this rank has.
///
/// Every layer that looks back takes one slot per chunk, always in the same order.
class StreamState {
public:
    struct Slot {
        nn::FrameList frames;  ///< each [B, H, W, C], with halo where the layer needs one
        bool has_started = false;
    };

    /// \param bands outlives the state
    explicit StreamState(const Bands& bands) : bands_(bands) {}

    [[nodiscard]] const Bands& bands() const { return bands_; }

    /// To be called before each chunk.
    void start_chunk() { next_ = 0; }
    [[nodiscard]] Slot& next_slot();

private:
    const Bands& bands_;
    std::deque<Slot> slots_;
    std::size_t next_ = 0;
};

/// Convolution that sees the two frames before (zeros before the start), with its borders padded.
/// Bands of a picture trade the rows along their borders.
class CausalConv {
public:
    /// \param weights scope with "weight" [O, I, 3, 3, 3] and "bias"
    explicit CausalConv(const store::WeightSet& weights);

    /// \param frames each [B, H, W, I]
    /// \param addends nothing, or one frame [B, H, W, O] per frame that is added to the result
    [[nodiscard]] nn::FrameList operator()(nn::FrameList frames,
                                           StreamState& state,
                                           const nn::FrameList& addends = {}) const;

private:
    nn::FrameConv conv_;
};

/// 1 x 1 convolution of each frame by itself.
[[nodiscard]] nn::FrameConv make_pointwise_conv(const store::WeightSet& weights);

/// shortcut(x) + conv2(silu(norm2(conv1(silu(norm1(x))))))
class ResidualBlock {
public:
    explicit ResidualBlock(const store::WeightSet& weights);
    [[nodiscard]] nn::FrameList operator()(nn::FrameList frames, StreamState& state) const;

private:
    nn::ChannelNorm norm1_;
    CausalConv conv1_;
    nn::ChannelNorm norm2_;
    CausalConv conv2_;
    std::optional<nn::FrameConv> shortcut_;
};

/// x + proj(attention(norm(x))), one head as wide as the frame has channels, each frame by itself.
/// The queries of a band see the keys and values of the whole frame.
class AttentionBlock {
public:
    explicit AttentionBlock(const store::WeightSet& weights);
    [[nodiscard]] nn::FrameList operator()(const nn::FrameList& frames, StreamState& state) const;

private:
    /// \param qkv [B, H, W, 3 C] of the band \returns [B, H, W, C]
    [[nodiscard]] static at::Tensor attend(const at::Tensor& qkv, const Bands& bands);

    nn::ChannelNorm norm_;
    nn::FrameConv to_qkv_;
    nn::FrameConv proj_;
};

/// Halves rows and columns; with a "time_conv" also the frames, but for the first of the video.
class Downsample {
public:
    explicit Downsample(const store::WeightSet& weights);
    [[nodiscard]] nn::FrameList operator()(nn::FrameList frames, StreamState& state) const;

private:
    nn::FrameConv conv_;
    std::optional<nn::FrameConv> time_conv_;
};

/// Doubles rows and columns; with a "time_conv" first the frames, but for the first chunk.
class Upsample {
public:
    explicit Upsample(const store::WeightSet& weights);
    [[nodiscard]] nn::FrameList operator()(const nn::FrameList& frames, StreamState& state) const;

private:
    /// Convolution of the doubled rows and columns.
    [[nodiscard]] nn::FrameList enlarged(nn::FrameList frames, const Bands& bands) const;

    /// The two halves of the time convolution, for the earlier and the later frame of each pair.
    struct TimeConv {
        nn::FrameConv earlier;
        nn::FrameConv later;
    };

    nn::UpsampleConv conv_;
    std::optional<TimeConv> time_conv_;
};

using Block = std::variant<ResidualBlock, AttentionBlock, Downsample, Upsample>;

/// \param weights scope of the half ("encoder" or "decoder") that the layer is of
[[nodiscard]] Block make_block(const VaeLayer& layer, const store::WeightSet& weights);

}  // namespace reelyard::models::wan
