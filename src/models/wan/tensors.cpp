#include "wan/tensors.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "reelyard/base/format.hpp"

namespace reelyard::models::wan {
namespace {

using Shape = std::vector<std::int64_t>;

/// What is kept in float32 in a bfloat16 model, as in the original: norms, modulation, the time
/// embedding and the head.
constexpr auto keep = Precision::keep_float32;

/// How tensor parallelism cuts a weight: along what, and at multiples of what.
struct Cut {
    Split split = Split::none;
    std::int64_t unit = 1;
};

class TensorList {
public:
    /// What is added from here on belongs to a block, or to none.
    void begin_block(int block) { block_ = block; }
    void end_blocks() { block_.reset(); }

    void add(std::string name,
             Shape shape,
             Precision precision = Precision::compute,
             Cut cut = {}) {
        tensors_.push_back({.name = std::move(name),
                            .shape = std::move(shape),
                            .split = cut.split,
                            .precision = precision,
                            .split_unit = cut.unit,
                            .block = block_});
    }

    /// Weight [out, in] and bias [out].
    void add_linear(const std::string& name,
                    const Shape& shape,
                    Cut cut = {},
                    Precision precision = Precision::compute) {
        add(name + ".weight", shape, precision, cut);
        add(name + ".bias", {shape.front()}, precision);
    }

    [[nodiscard]] std::vector<TensorSpec> take() { return std::move(tensors_); }

private:
    std::vector<TensorSpec> tensors_;
    std::optional<int> block_;
};

void add_attention(TensorList& list, const std::string& prefix, const TransformerConfig& config) {
    const std::int64_t width = config.width();
    for (const char* part : {".to_q", ".to_k", ".to_v"}) {
        list.add_linear(prefix + part, {width, width}, {Split::rows, config.head_width});
    }
    list.add_linear(prefix + ".to_out.0", {width, width}, {Split::columns, config.head_width});
    list.add(prefix + ".norm_q.weight", {width}, keep);
    list.add(prefix + ".norm_k.weight", {width}, keep);
}

void add_block(TensorList& list, int block, const TransformerConfig& config) {
    const std::string prefix = fmt::format("blocks.{}", block);
    list.begin_block(block);
    const std::int64_t width = config.width();
    list.add(prefix + ".scale_shift_table", {1, 6, width}, keep);
    add_attention(list, prefix + ".attn1", config);
    add_attention(list, prefix + ".attn2", config);
    if (config.cross_attention_norm) {
        list.add(prefix + ".norm2.weight", {width}, keep);
        list.add(prefix + ".norm2.bias", {width}, keep);
    }
    list.add_linear(prefix + ".ffn.net.0.proj", {config.ffn_width, width}, {Split::rows});
    list.add_linear(prefix + ".ffn.net.2", {width, config.ffn_width}, {Split::columns});
}

void add_text_block(TensorList& list, int block, const TextEncoderConfig& config) {
    const std::int64_t inner = config.heads * config.head_width;
    const std::string attention = fmt::format("encoder.block.{}.layer.0.", block);
    const std::string ffn = fmt::format("encoder.block.{}.layer.1.", block);
    list.begin_block(block);
    for (const char* part : {"q", "k", "v"}) {
        list.add(attention + "SelfAttention." + part + ".weight",
                 {inner, config.width},
                 Precision::compute,
                 {Split::rows, config.head_width});
    }
    list.add(attention + "SelfAttention.o.weight",
             {config.width, inner},
             Precision::compute,
             {Split::columns, config.head_width});
    list.add(attention + "SelfAttention.relative_attention_bias.weight",
             {config.buckets, config.heads});
    list.add(attention + "layer_norm.weight", {config.width});
    for (const char* part : {"wi_0", "wi_1"}) {
        list.add(ffn + "DenseReluDense." + part + ".weight",
                 {config.ffn_width, config.width},
                 Precision::compute,
                 {Split::rows});
    }
    list.add(ffn + "DenseReluDense.wo.weight",
             {config.width, config.ffn_width},
             Precision::compute,
             {Split::columns});
    list.add(ffn + "layer_norm.weight", {config.width});
}

}  // namespace

ComponentSpec transformer_tensors(const TransformerConfig& config) {
    const std::int64_t width = config.width();
    const auto [p0, p1, p2] = config.patch_size;
    TensorList list;
    list.add("patch_embedding.weight", {width, config.in_channels, p0, p1, p2});
    list.add("patch_embedding.bias", {width});
    const std::string embedder = "condition_embedder.";
    list.add_linear(embedder + "text_embedder.linear_1", {width, config.text_width});
    list.add_linear(embedder + "text_embedder.linear_2", {width, width});
    list.add_linear(embedder + "time_embedder.linear_1", {width, config.frequency_width}, {}, keep);
    list.add_linear(embedder + "time_embedder.linear_2", {width, width}, {}, keep);
    list.add_linear(embedder + "time_proj", {6 * width, width}, {}, keep);
    for (int i = 0; i < config.layers; ++i) {
        add_block(list, i, config);
    }
    list.end_blocks();
    list.add("scale_shift_table", {1, 2, width}, keep);
    list.add_linear("proj_out", {config.out_channels * config.patch_volume(), width}, {}, keep);
    return {.name = "transformer", .class_name = "WanTransformer3DModel", .tensors = list.take()};
}

ComponentSpec text_encoder_tensors(const TextEncoderConfig& config) {
    TensorList list;
    list.add("shared.weight",
             {config.vocabulary, config.width},
             Precision::compute,
             {.split = Split::rows});
    for (int i = 0; i < config.layers; ++i) {
        add_text_block(list, i, config);
    }
    list.end_blocks();
    list.add("encoder.final_layer_norm.weight", {config.width});
    return {.name = "text_encoder",
            .class_name = "UMT5EncoderModel",
            .tensors = list.take(),
            .aliases = {{"encoder.embed_tokens.weight", "shared.weight"}}};
}

}  // namespace reelyard::models::wan
