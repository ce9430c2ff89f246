#include "wan/transformer/transformer_block.hpp"

#include <ATen/ATen.h>

#include "reelyard/nn/attention.hpp"

#include "wan/transformer/weights.hpp"

namespace reelyard::models::wan {

TransformerBlock::TransformerBlock(const TransformerConfig& config, const store::WeightSet& weights)
    : config_(config)
    , modulation_(weights.get("scale_shift_table"))
    , self_(attention_of(weights.scope("attn1")))
    , cross_(attention_of(weights.scope("attn2")))
    , ffn_in_(linear_of(weights, "ffn.net.0.proj"))
    , ffn_out_(linear_of(weights, "ffn.net.2")) {
    if (config.cross_attention_norm) {
        cross_norm_scale_ = weights.get("norm2.weight").unsqueeze(0);
        cross_norm_shift_ = weights.get("norm2.bias").unsqueeze(0);
    }
}

TransformerBlock::Attention TransformerBlock::attention_of(const store::WeightSet& weights) {
    return {.q = linear_of(weights, "to_q"),
            .k = linear_of(weights, "to_k"),
            .v = linear_of(weights, "to_v"),
            .out = linear_of(weights, "to_out.0"),
            .norm_q = weights.get("norm_q.weight"),
            .norm_k = weights.get("norm_k.weight")};
}

void TransformerBlock::project(const nn::Linear& layer,
                               const at::Tensor& x,
                               at::Tensor& heads) const {
    at::Tensor flat = heads.view(x.sizes());
    nn::linear(x, layer, nn::Activation::none, flat);
}

void TransformerBlock::self_attention(at::Tensor& stream,
                                      const at::Tensor& gate,
                                      const BlockInputs& inputs) const {
    BlockMemory& memory = inputs.memory;
    project(self_.q, memory.normal, memory.q);
    project(self_.k, memory.normal, memory.k);
    project(self_.v, memory.normal, memory.v);
    nn::rms_norm_rotate(memory.q, self_.norm_q, config_.eps, &inputs.rotary);
    nn::rms_norm_rotate(memory.k, self_.norm_k, config_.eps, &inputs.rotary);
    nn::attention(memory.q, memory.k, memory.v, {}, memory.attended);
    nn::add_linear(stream, memory.attended, self_.out, gate);
}

void TransformerBlock::cross_attention(at::Tensor& stream, const BlockInputs& inputs) const {
    BlockMemory& memory = inputs.memory;
    project(cross_.q, memory.normal, memory.q);
    nn::rms_norm_rotate(memory.q, cross_.norm_q, config_.eps, nullptr);
    nn::attention(memory.q, inputs.text.key, inputs.text.value, inputs.text.bias, memory.attended);
    nn::add_linear(stream, memory.attended, cross_.out, {});
}

void TransformerBlock::apply(at::Tensor& stream, const BlockInputs& inputs) const {
    BlockMemory& memory = inputs.memory;
    const at::Tensor modulation = modulation_ + inputs.time;
    const auto row = [&](std::int64_t i) {
        return modulation.select(1, i);
    };

    nn::layer_norm(stream, row(1) + 1, row(0), config_.eps, memory.normal);
    self_attention(stream, row(2), inputs);

    if (config_.cross_attention_norm) {
        nn::layer_norm(stream, cross_norm_scale_, cross_norm_shift_, config_.eps, memory.normal);
    } else {
        memory.normal.copy_(stream);
    }
    cross_attention(stream, inputs);

    nn::layer_norm(stream, row(4) + 1, row(3), config_.eps, memory.normal);
    nn::linear(memory.normal, ffn_in_, nn::Activation::gelu_tanh, memory.hidden);
    nn::add_linear(stream, memory.hidden, ffn_out_, row(5));
}

TextKeys TransformerBlock::text_keys(const at::Tensor& context, const at::Tensor& bias) const {
    const std::vector<std::int64_t> shape{
        context.size(0), context.size(1), config_.heads, config_.head_width};
    at::Tensor key = nn::linear(context, cross_.k).view(shape);
    nn::rms_norm_rotate(key, cross_.norm_k, config_.eps, nullptr);
    return {.key = key, .value = nn::linear(context, cross_.v).view(shape), .bias = bias};
}

}  // namespace reelyard::models::wan
