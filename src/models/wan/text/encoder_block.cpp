#include "wan/text/encoder_block.hpp"

#include <ATen/ATen.h>

#include "reelyard/nn/split/sharded_layers.hpp"

#include "wan/transformer/weights.hpp"

namespace reelyard::models::wan {

at::Tensor text_norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
    const at::Tensor inverse = at::rsqrt(x.square().mean(-1, true) + eps);
    return (x * inverse).to(weight.scalar_type()) * weight;
}

TextEncoderBlock::TextEncoderBlock(const TextEncoderConfig& config,
                                   const store::WeightSet& weights,
                                   const parallel::VideoGroup& group)
    : config_(config)
    , tensor_ranks_(*group.tensor)
    , heads_(shard_of(config.heads, 1, group.weights()))
    , attention_norm_(weights.get("layer.0.layer_norm.weight"))
    , ffn_norm_(weights.get("layer.1.layer_norm.weight")) {
    const store::WeightSet attention = weights.scope("layer.0.SelfAttention");
    q_ = linear_of(attention, "q");
    k_ = linear_of(attention, "k");
    v_ = linear_of(attention, "v");
    o_ = linear_of(attention, "o");
    position_bias_ = attention.get("relative_attention_bias.weight")
                         .narrow(1, heads_.begin, heads_.end - heads_.begin);
    const store::WeightSet ffn = weights.scope("layer.1.DenseReluDense");
    gate_ = linear_of(ffn, "wi_0");
    up_ = linear_of(ffn, "wi_1");
    down_ = linear_of(ffn, "wo");
}

at::Tensor TextEncoderBlock::attended(const at::Tensor& x, const TextBlockInputs& inputs) const {
    const std::int64_t heads = heads_.end - heads_.begin;
    if (heads == 0) {
        return at::empty({x.size(0), x.size(1), 0}, x.options());
    }
    const auto heads_of = [&](const nn::Linear& projection) {
        return nn::linear(x, projection)
            .view({x.size(0), x.size(1), heads, config_.head_width})
            .transpose(1, 2);
    };
    const at::Tensor position_bias = position_bias_.index_select(0, inputs.buckets.flatten())
                                         .view({x.size(1), x.size(1), heads})
                                         .permute({2, 0, 1})
                                         .unsqueeze(0);
    return at::scaled_dot_product_attention(heads_of(q_),
                                            heads_of(k_),
                                            heads_of(v_),
                                            position_bias + inputs.mask,
                                            0.0,
                                            false,
                                            1.0)
        .transpose(1, 2)
        .flatten(2)
        .contiguous();
}

void TextEncoderBlock::feed_forward(at::Tensor& stream) const {
    const at::Tensor x = text_norm(stream, ffn_norm_, config_.eps);
    at::Tensor hidden = nn::linear(x, gate_, nn::Activation::gelu_tanh);
    hidden.mul_(nn::linear(x, up_));
    nn::add_sharded_linear(stream, hidden, down_, {}, tensor_ranks_);
}

void TextEncoderBlock::apply(at::Tensor& stream, const TextBlockInputs& inputs) const {
    const at::Tensor heads = attended(text_norm(stream, attention_norm_, config_.eps), inputs);
    inputs.progress();
    nn::add_sharded_linear(stream, heads, o_, {}, tensor_ranks_);
    inputs.progress();
    feed_forward(stream);
    inputs.progress();
}

}  // namespace reelyard::models::wan
