#include "wan/transformer/transformer.hpp"

#include <algorithm>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"
#include "reelyard/nn/patch.hpp"
#include "reelyard/nn/rope.hpp"
#include "reelyard/spec/tensor_spec.hpp"
#include "reelyard/trace/span.hpp"

#include "wan/transformer/context.hpp"
#include "wan/transformer/weights.hpp"

namespace reelyard::models::wan {
namespace {

/// The convolution of kernel and stride one patch, as a linear layer.
nn::Linear patch_embedding_of(const store::WeightSet& weights) {
    nn::Linear layer = linear_of(weights, "patch_embedding");
    layer.weight = layer.weight.flatten(1);
    return layer;
}

std::string key_name(std::size_t block) {
    return fmt::format("key.{}", block);
}

std::int64_t token_count(const std::array<std::int64_t, 3>& grid) {
    return grid[0] * grid[1] * grid[2];
}

std::string value_name(std::size_t block) {
    return fmt::format("value.{}", block);
}

TextKeys text_of(const Conditioning& prepared, std::size_t block) {
    const auto bias = prepared.tensors.find("key_bias");
    return {.key = prepared.tensors.at(key_name(block)),
            .value = prepared.tensors.at(value_name(block)),
            .bias = bias == prepared.tensors.end() ? at::Tensor() : bias->second};
}

}  // namespace

WanTransformer::WanTransformer(const TransformerConfig& config,
                               const store::WeightSet& weights,
                               DType compute,
                               const parallel::VideoGroup& group,
                               const std::vector<store::BlockShard>& shards)
    : config_(config)
    , group_(group)
    , compute_(compute == DType::bfloat16 ? at::kBFloat16 : at::kFloat)
    , patch_embedding_(patch_embedding_of(weights))
    , text_in_(linear_of(weights, "condition_embedder.text_embedder.linear_1"))
    , text_out_(linear_of(weights, "condition_embedder.text_embedder.linear_2"))
    , time_(config, weights.scope("condition_embedder"))
    , blocks_(config, weights, shards, group)
    , head_modulation_(weights.get("scale_shift_table"))
    , head_(linear_of(weights, "proj_out")) {}

/// Rows of zeros are what padding is made of: those behind a shorter text change nothing.
Conditioning WanTransformer::batch(const std::vector<Conditioning>& texts) const {
    std::int64_t rows = 0;
    for (const Conditioning& text : texts) {
        rows = std::max(rows, text.tensors.at("context").size(1));
    }
    std::vector<at::Tensor> padded;
    padded.reserve(texts.size());
    for (const Conditioning& text : texts) {
        const at::Tensor& context = text.tensors.at("context");
        padded.push_back(at::constant_pad_nd(context, {0, 0, 0, rows - context.size(1)}));
    }
    return {.tensors = {{"context", at::cat(padded)}}};
}

Conditioning WanTransformer::prepare(const Conditioning& conditioning) const {
    const trace::Span span(group_.recorder(), "keys of the text");
    const at::Tensor& context = conditioning.tensors.at("context");
    const auto rows = conditioning.tensors.find("context_rows");
    const std::int64_t total =
        rows == conditioning.tensors.end() ? context_length : rows->second.item<std::int64_t>();
    require(context.dim() == 3 && context.size(2) == config_.text_width && context.size(1) <= total,
            ErrorKind::input,
            "context: shape {} (expected [B, L, {}], L at most {})",
            to_string(context.sizes().vec()),
            config_.text_width,
            total);
    const FoldedContext folded =
        fold_padding(context.to(text_in_.weight.device(), compute_).contiguous(), total);
    const at::Tensor embedded =
        nn::linear(nn::linear(folded.rows, text_in_, nn::Activation::gelu_tanh), text_out_);
    Conditioning prepared;
    blocks_.for_each([&](std::size_t i, const TransformerBlock& block) {
        const TextKeys keys = block.text_keys(embedded, folded.key_bias);
        prepared.tensors[key_name(i)] = keys.key;
        prepared.tensors[value_name(i)] = keys.value;
    });
    if (folded.key_bias.defined()) {
        prepared.tensors["key_bias"] = folded.key_bias;
    }
    return prepared;
}

WanTransformer::Grid WanTransformer::grid_of(const at::Tensor& latent) const {
    require(latent.dim() == 5 && latent.size(1) == config_.in_channels,
            ErrorKind::input,
            "latent: shape {} (expected [B, {}, f, h, w])",
            to_string(latent.sizes().vec()),
            config_.in_channels);
    Grid grid{};
    for (std::size_t axis = 0; axis < grid.size(); ++axis) {
        const std::int64_t size = latent.size(static_cast<std::int64_t>(axis) + 2);
        const std::int64_t patch = config_.patch_size.at(axis);
        grid.at(axis) = size / patch;
        require(size > 0 && size % patch == 0 && grid.at(axis) <= config_.rotary_length,
                ErrorKind::input,
                "latent: shape {} (expected f, h, w to be multiples of {}, {}, {} and at most {} "
                "times as large)",
                to_string(latent.sizes().vec()),
                config_.patch_size[0],
                config_.patch_size[1],
                config_.patch_size[2],
                config_.rotary_length);
    }
    return grid;
}

const nn::RotaryTable& WanTransformer::rotary_of(const Grid& grid) {
    const auto found = rotary_.find(grid);
    if (found != rotary_.end()) {
        return found->second;
    }
    constexpr std::size_t most_kept = 4;  // a table of a long video is tens of megabytes
    if (rotary_.size() >= most_kept) {
        rotary_.clear();
    }
    const at::Device device = head_.weight.device();
    const nn::RotaryTable table = nn::rotary_table(config_.head_width, grid);
    const Interval own = own_tokens(grid);
    const auto part = [&](const at::Tensor& rows) {
        return rows.narrow(0, own.begin, own.end - own.begin).to(device);
    };
    return rotary_
        .emplace(grid, nn::RotaryTable{.cosine = part(table.cosine), .sine = part(table.sine)})
        .first->second;
}

Interval WanTransformer::own_tokens(const Grid& grid) const {
    return shard_of(token_count(grid), 1, group_.tokens());
}

BlockMemory& WanTransformer::memory_for(std::int64_t batch, std::int64_t length) {
    const std::vector<std::int64_t> flat{batch, length, config_.width()};
    if (!memory_.normal.defined() || memory_.normal.sizes() != flat) {
        memory_ = {};
        const auto options = head_.weight.options().dtype(compute_);
        const InnerWidth inner = inner_width_of(config_, group_.weights());
        const std::vector<std::int64_t> heads{batch, length, inner.heads, config_.head_width};
        memory_ = {
            .normal = at::empty(flat, options),
            .q = at::empty(heads, options),
            .k = at::empty(heads, options),
            .v = at::empty(heads, options),
            .attended = at::empty({batch, length, inner.heads * config_.head_width}, options),
            .hidden = at::empty({batch, length, inner.hidden}, options)};
    }
    return memory_;
}

at::Tensor WanTransformer::embed_patches(const at::Tensor& latent, Interval tokens) const {
    const at::Tensor patches =
        nn::to_patches(latent.to(head_.weight.device(), compute_), config_.patch_size)
            .narrow(1, tokens.begin, tokens.end - tokens.begin);
    return nn::linear(patches.contiguous(), patch_embedding_).to(at::kFloat);
}

/// What all ranks have computed of a sequence. \param own [B, this rank's tokens, P]
at::Tensor WanTransformer::gather(const at::Tensor& own, std::int64_t tokens) const {
    parallel::TensorComm& ranks = *group_.sequence;
    if (ranks.size() == 1) {
        return own;
    }
    parallel::TensorComm::Tensors parts;
    for (int rank = 0; rank < ranks.size(); ++rank) {
        const Interval part = shard_of(tokens, 1, {.degree = ranks.size(), .index = rank});
        parts.push_back(
            at::empty({own.size(0), part.end - part.begin, own.size(2)}, own.options()));
    }
    ranks.all_gather(own.contiguous(), parts);
    return at::cat(parts, 1);
}

at::Tensor WanTransformer::head(const at::Tensor& stream, const at::Tensor& time) const {
    const at::Tensor modulation = head_modulation_ + time.unsqueeze(1);
    at::Tensor normal = at::empty_like(stream);
    nn::layer_norm(
        stream, modulation.select(1, 1) + 1, modulation.select(1, 0), config_.eps, normal);
    return nn::linear(normal, head_);
}

at::Tensor WanTransformer::velocity(const at::Tensor& latent,
                                    const at::Tensor& timestep,
                                    const Conditioning& prepared) {
    const trace::Span span(group_.recorder(), "velocity");
    const Grid grid = grid_of(latent);
    const nn::RotaryTable& rotary = rotary_of(grid);
    const TimeEmbedding& time = time_.embed(timestep);
    const std::int64_t tokens = token_count(grid);
    at::Tensor stream = embed_patches(latent, own_tokens(grid));
    BlockMemory& memory = memory_for(stream.size(0), stream.size(1));
    const std::function<void()> progress = [this] {
        blocks_.progress();
    };
    blocks_.for_each([&](std::size_t i, const TransformerBlock& block) {
        const trace::Span block_span(group_.recorder(), "block", static_cast<std::int64_t>(i));
        const TextKeys text = text_of(prepared, i);
        block.apply(stream,
                    {.time = time.blocks,
                     .rotary = rotary,
                     .text = text,
                     .tokens = tokens,
                     .memory = memory,
                     .progress = progress});
    });
    const at::Tensor patches = gather(head(stream, time.head), tokens);
    blocks_.progress();  // the first block of the next pass may be there by now
    return nn::from_patches(patches, config_.patch_size, grid);
}

}  // namespace reelyard::models::wan
