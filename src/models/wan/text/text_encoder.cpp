#include "wan/text/text_encoder.hpp"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

#include "wan/transformer/weights.hpp"

namespace reelyard::models::wan {
namespace {

/// x / sqrt(mean of x^2 + eps), rounded to the weight's type, times the weight.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
    const at::Tensor inverse = at::rsqrt(x.square().mean(-1, true) + eps);
    return (x * inverse).to(weight.scalar_type()) * weight;
}

/// 0 where a key may be attended to, the lowest number of the type elsewhere: [B, 1, 1, L].
at::Tensor mask_bias(const at::Tensor& attention_mask, at::ScalarType type) {
    const double lowest = type == at::kBFloat16
                              ? static_cast<double>(std::numeric_limits<at::BFloat16>::lowest())
                              : static_cast<double>(std::numeric_limits<float>::lowest());
    const at::Tensor hidden = attention_mask.eq(0).unsqueeze(1).unsqueeze(1);
    return at::zeros(hidden.sizes(), hidden.options().dtype(type)).masked_fill(hidden, lowest);
}

}  // namespace

at::Tensor position_buckets(std::int64_t length, std::int64_t buckets, std::int64_t max_distance) {
    const std::int64_t half = buckets / 2;
    const std::int64_t exact = half / 2;
    const at::Tensor positions = at::arange(length, at::kLong);
    const at::Tensor relative = positions.unsqueeze(0) - positions.unsqueeze(1);
    const at::Tensor distance = relative.abs();
    // In float32, as in the reference: it decides on which side of a border a distance falls.
    const double range = std::log(static_cast<double>(max_distance) / static_cast<double>(exact));
    const at::Tensor steps =
        (distance.to(at::kFloat) / exact).log() / range * static_cast<double>(half - exact);
    const at::Tensor far = (steps.clamp_min(0).to(at::kLong) + exact).clamp_max(half - 1);
    const at::Tensor within = at::where(distance < exact, distance, far);
    return within + relative.gt(0).to(at::kLong) * half;
}

TextEncoder::TextEncoder(const TextEncoderConfig& config, const store::WeightSet& weights)
    : config_(config)
    , embedding_(weights.get("shared.weight"))
    , final_norm_(weights.get("encoder.final_layer_norm.weight")) {
    for (std::int64_t i = 0; i < config.layers; ++i) {
        const store::WeightSet block = weights.scope(fmt::format("encoder.block.{}.layer", i));
        const store::WeightSet attention = block.scope("0.SelfAttention");
        const store::WeightSet ffn = block.scope("1.DenseReluDense");
        layers_.push_back({.attention_norm = block.get("0.layer_norm.weight"),
                           .q = linear_of(attention, "q"),
                           .k = linear_of(attention, "k"),
                           .v = linear_of(attention, "v"),
                           .o = linear_of(attention, "o"),
                           .position_bias = attention.get("relative_attention_bias.weight"),
                           .ffn_norm = block.get("1.layer_norm.weight"),
                           .gate = linear_of(ffn, "wi_0"),
                           .up = linear_of(ffn, "wi_1"),
                           .down = linear_of(ffn, "wo")});
    }
}

void TextEncoder::attend(const Layer& layer,
                         const at::Tensor& buckets,
                         const at::Tensor& mask,
                         at::Tensor& stream) const {
    const at::Tensor x = rms_norm(stream, layer.attention_norm, config_.eps);
    const auto heads_of = [&](const nn::Linear& projection) {
        return nn::linear(x, projection)
            .view({x.size(0), x.size(1), config_.heads, config_.head_width})
            .transpose(1, 2);
    };
    const at::Tensor position_bias = layer.position_bias.index_select(0, buckets.flatten())
                                         .view({x.size(1), x.size(1), config_.heads})
                                         .permute({2, 0, 1})
                                         .unsqueeze(0);
    const at::Tensor attended = at::scaled_dot_product_attention(heads_of(layer.q),
                                                                 heads_of(layer.k),
                                                                 heads_of(layer.v),
                                                                 position_bias + mask,
                                                                 0.0,
                                                                 false,
                                                                 1.0);
    nn::add_linear(stream, attended.transpose(1, 2).flatten(2).contiguous(), layer.o, {});
}

void TextEncoder::feed_forward(const Layer& layer, at::Tensor& stream) const {
    const at::Tensor x = rms_norm(stream, layer.ffn_norm, config_.eps);
    at::Tensor hidden = nn::linear(x, layer.gate, nn::Activation::gelu_tanh);
    hidden.mul_(nn::linear(x, layer.up));
    nn::add_linear(stream, hidden, layer.down, {});
}

at::Tensor TextEncoder::encode(const at::Tensor& input_ids,
                               const at::Tensor& attention_mask) const {
    const auto [lowest, highest] = at::aminmax(input_ids);
    require(lowest.item<std::int64_t>() >= 0 && highest.item<std::int64_t>() < config_.vocabulary,
            ErrorKind::input,
            "input_ids: {} .. {} (expected 0 .. {}, the text encoder's vocabulary)",
            lowest.item<std::int64_t>(),
            highest.item<std::int64_t>(),
            config_.vocabulary - 1);
    const at::Device device = embedding_.device();
    const at::Tensor mask = mask_bias(attention_mask.to(device), embedding_.scalar_type());
    const at::Tensor buckets =
        position_buckets(input_ids.size(1), config_.buckets, config_.max_distance).to(device);
    at::Tensor stream = at::embedding(embedding_, input_ids.to(device)).to(at::kFloat);
    for (const Layer& layer : layers_) {
        attend(layer, buckets, mask, stream);
        feed_forward(layer, stream);
    }
    return rms_norm(stream, final_norm_, config_.eps);
}

}  // namespace reelyard::models::wan
