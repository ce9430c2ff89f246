#include "wan/transformer/transformer_block.hpp"

#include <ATen/ATen.h>

#include "reelyard/nn/attention.hpp"
#include "reelyard/nn/split/sharded_layers.hpp"
#include "reelyard/trace/span.hpp"

#include "wan/transformer/weights.hpp"

namespace reelyard::models::wan {
namespace {

/// A layer whose outputs are cut between ranks: its weight has come in slices, its bias whole.
nn::Linear sliced(nn::Linear layer, Interval outputs) {
    if (layer.bias.defined()) {
        layer.bias = layer.bias.narrow(0, outputs.begin, outputs.end - outputs.begin);
    }
    return layer;
}

at::Tensor sliced(const at::Tensor& vector, Interval part) {
    return vector.narrow(0, part.begin, part.end - part.begin);
}

}  // namespace

InnerWidth inner_width_of(const TransformerConfig& config, Shard tensor_parallel) {
    const Interval columns = shard_of(config.width(), config.head_width, tensor_parallel);
    const Interval hidden = shard_of(config.ffn_width, 1, tensor_parallel);
    return {.columns = columns,
            .heads = (columns.end - columns.begin) / config.head_width,
            .hidden = hidden.end - hidden.begin};
}

TransformerBlock::TransformerBlock(const TransformerConfig& config,
                                   const store::WeightSet& weights,
                                   const parallel::VideoGroup& group)
    : config_(config)
    , tensor_ranks_(*group.tensor)
    , attend_to_all_(*group.ulysses, *group.ring)
    , inner_(inner_width_of(config, group.weights()))
    , modulation_(weights.get("scale_shift_table"))
    , self_(attention_of(weights.scope("attn1")))
    , cross_(attention_of(weights.scope("attn2")))
    , ffn_in_(sliced(linear_of(weights, "ffn.net.0.proj"),
                     shard_of(config.ffn_width, 1, group.weights())))
    , ffn_out_(linear_of(weights, "ffn.net.2")) {
    if (config.cross_attention_norm) {
        cross_norm_scale_ = weights.get("norm2.weight").unsqueeze(0);
        cross_norm_shift_ = weights.get("norm2.bias").unsqueeze(0);
    }
}

TransformerBlock::Attention TransformerBlock::attention_of(const store::WeightSet& weights) const {
    return {.q = sliced(linear_of(weights, "to_q"), inner_.columns),
            .k = sliced(linear_of(weights, "to_k"), inner_.columns),
            .v = sliced(linear_of(weights, "to_v"), inner_.columns),
            .out = linear_of(weights, "to_out.0"),
            .norm_q = sliced(weights.get("norm_q.weight"), inner_.columns),
            .norm_k = sliced(weights.get("norm_k.weight"), inner_.columns)};
}

void TransformerBlock::project(const nn::Linear& layer,
                               const at::Tensor& x,
                               at::Tensor& heads) const {
    at::Tensor flat = heads.view({x.size(0), x.size(1), layer.out_features()});
    nn::linear(x, layer, nn::Activation::none, flat);
}

/// Over the width of all ranks.
void TransformerBlock::normalise(at::Tensor& heads,
                                 const at::Tensor& weight,
                                 const nn::RotaryTable* rotary) const {
    nn::sharded_rms_norm_rotate(heads, weight, config_.eps, rotary, config_.width(), tensor_ranks_);
}

void TransformerBlock::self_attention(at::Tensor& stream,
                                      const at::Tensor& gate,
                                      const BlockInputs& inputs) const {
    const trace::Span span(tensor_ranks_.recorder(), "self attention");
    BlockMemory& memory = inputs.memory;
    project(self_.q, memory.normal, memory.q);
    project(self_.k, memory.normal, memory.k);
    project(self_.v, memory.normal, memory.v);
    inputs.progress();
    normalise(memory.q, self_.norm_q, &inputs.rotary);
    normalise(memory.k, self_.norm_k, &inputs.rotary);
    attend_to_all_(memory.q, memory.k, memory.v, inputs.tokens, memory.attended);
    inputs.progress();
    nn::add_sharded_linear(stream, memory.attended, self_.out, gate, tensor_ranks_);
}

void TransformerBlock::cross_attention(at::Tensor& stream, const BlockInputs& inputs) const {
    const trace::Span span(tensor_ranks_.recorder(), "cross attention");
    BlockMemory& memory = inputs.memory;
    project(cross_.q, memory.normal, memory.q);
    normalise(memory.q, cross_.norm_q, nullptr);
    nn::attention(memory.q, inputs.text.key, inputs.text.value, inputs.text.bias, memory.attended);
    nn::add_sharded_linear(stream, memory.attended, cross_.out, {}, tensor_ranks_);
}

void TransformerBlock::apply(at::Tensor& stream, const BlockInputs& inputs) const {
    BlockMemory& memory = inputs.memory;
    const at::Tensor modulation = modulation_ + inputs.time;
    const auto row = [&](std::int64_t i) {
        return modulation.select(1, i);
    };

    nn::layer_norm(stream, row(1) + 1, row(0), config_.eps, memory.normal);
    self_attention(stream, row(2), inputs);
    inputs.progress();

    if (config_.cross_attention_norm) {
        nn::layer_norm(stream, cross_norm_scale_, cross_norm_shift_, config_.eps, memory.normal);
    } else {
        memory.normal.copy_(stream);
    }
    cross_attention(stream, inputs);
    inputs.progress();

    const trace::Span span(tensor_ranks_.recorder(), "feed-forward");
    nn::layer_norm(stream, row(4) + 1, row(3), config_.eps, memory.normal);
    nn::linear(memory.normal, ffn_in_, nn::Activation::gelu_tanh, memory.hidden);
    inputs.progress();
    nn::add_sharded_linear(stream, memory.hidden, ffn_out_, row(5), tensor_ranks_);
}

TextKeys TransformerBlock::text_keys(const at::Tensor& context, const at::Tensor& bias) const {
    const std::vector<std::int64_t> shape{
        context.size(0), context.size(1), inner_.heads, config_.head_width};
    at::Tensor key = nn::linear(context, cross_.k).view(shape);
    normalise(key, cross_.norm_k, nullptr);
    return {.key = key, .value = nn::linear(context, cross_.v).view(shape), .bias = bias};
}

}  // namespace reelyard::models::wan
