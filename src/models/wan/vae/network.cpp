#include "wan/vae/network.hpp"

#include <utility>

#include <ATen/ATen.h>

namespace reelyard::models::wan {
namespace {

constexpr std::int64_t chunk_length = 4;  // frames that the encoder takes after the first one

/// [B, C, H, W] to [B, H, W, C].
at::Tensor to_frame(const at::Tensor& picture) {
    return picture.permute({0, 2, 3, 1}).contiguous();
}

/// Frames [B, H, W, C] to [B, C, F, H, W].
at::Tensor to_video(const nn::FrameList& frames) {
    std::vector<at::Tensor> planar;
    planar.reserve(frames.size());
    for (const at::Tensor& frame : frames) {
        planar.push_back(frame.permute({0, 3, 1, 2}));
    }
    return at::stack(planar, 2);
}

std::vector<Block> make_blocks(const std::vector<VaeLayer>& layers,
                               const store::WeightSet& weights) {
    std::vector<Block> blocks;
    blocks.reserve(layers.size());
    for (const VaeLayer& layer : layers) {
        blocks.push_back(make_block(layer, weights));
    }
    return blocks;
}

}  // namespace

VaeNetwork::VaeNetwork(const std::vector<VaeLayer>& layers, const store::WeightSet& weights)
    : conv_in_(weights.scope("conv_in"))
    , blocks_(make_blocks(layers, weights))
    , norm_out_(weights.get("norm_out.gamma"), nn::Activation::silu)
    , conv_out_(weights.scope("conv_out")) {}

nn::FrameList VaeNetwork::operator()(nn::FrameList frames, StreamState& state) const {
    state.start_chunk();
    frames = conv_in_(std::move(frames), state);
    for (const Block& block : blocks_) {
        frames =
            std::visit([&](const auto& layer) { return layer(std::move(frames), state); }, block);
    }
    return conv_out_(norm_out_(frames), state);
}

VaeEncoder::VaeEncoder(const VaeConfig& config, const store::WeightSet& weights)
    : network_(encoder_layers(config), weights.scope("encoder"))
    , quant_conv_(make_pointwise_conv(weights.scope("quant_conv"))) {}

at::Tensor VaeEncoder::operator()(const at::Tensor& video, const Bands& bands) const {
    StreamState state(bands);
    nn::FrameList latents;
    const std::int64_t frames = video.size(2);
    for (std::int64_t first = 0; first == 0 || first + chunk_length <= frames;) {
        const std::int64_t length = first == 0 ? 1 : chunk_length;
        nn::FrameList chunk;
        for (std::int64_t i = 0; i < length; ++i) {
            chunk.push_back(to_frame(video.select(2, first + i)));
        }
        const nn::FrameList encoded = quant_conv_(network_(std::move(chunk), state));
        latents.insert(latents.end(), encoded.begin(), encoded.end());
        first += length;
    }
    return to_video(latents).chunk(2, 1)[0].contiguous();
}

VaeDecoder::VaeDecoder(const VaeConfig& config, const store::WeightSet& weights)
    : post_quant_conv_(make_pointwise_conv(weights.scope("post_quant_conv")))
    , network_(decoder_layers(config), weights.scope("decoder")) {}

at::Tensor VaeDecoder::operator()(const at::Tensor& latent, StreamState& state) const {
    return to_video(network_(post_quant_conv_({to_frame(latent)}), state));
}

}  // namespace reelyard::models::wan
