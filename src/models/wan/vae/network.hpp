#pragma once

#include <vector>

#include "wan/vae/blocks.hpp"

namespace reelyard::models::wan {

/// Encoder or decoder: a causal convolution in, blocks, norm, a causal convolution out.
class VaeNetwork {
public:
    /// \param weights scope "encoder" or "decoder"
    VaeNetwork(const std::vector<VaeLayer>& layers, const store::WeightSet& weights);

    /// \param frames the next chunk of the video, each [B, H, W, C]
    [[nodiscard]] nn::FrameList operator()(nn::FrameList frames, StreamState& state) const;

private:
    CausalConv conv_in_;
    std::vector<Block> blocks_;
    nn::ChannelNorm norm_out_;
    CausalConv conv_out_;
};

/// Video to latent, in chunks of 1 frame, then 4 frames each.
class VaeEncoder {
public:
    /// \param weights scope of the VAE
    VaeEncoder(const VaeConfig& config, const store::WeightSet& weights);

    /// \param video [B, C, F, H, W] float32, the rows of this rank, all frames
    /// \returns [B, z, f, h, w] float32: the mean, its rows of this rank
    [[nodiscard]] at::Tensor operator()(const at::Tensor& video, const Bands& bands) const;

private:
    VaeNetwork network_;
    nn::FrameConv quant_conv_;
};

/// Latent to video, one latent frame at a time.
class VaeDecoder {
public:
    /// \param weights scope of the VAE
    VaeDecoder(const VaeConfig& config, const store::WeightSet& weights);

    /// \param latent [B, z, H, W] float32: the next latent frame of the video, the rows of this
    /// rank \returns [B, C, F, H', W'] float32: the frames that it gives, not clamped
    [[nodiscard]] at::Tensor operator()(const at::Tensor& latent, StreamState& state) const;

private:
    nn::FrameConv post_quant_conv_;
    VaeNetwork network_;
};

}  // namespace reelyard::models::wan
