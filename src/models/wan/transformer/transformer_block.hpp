#pragma once

#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

#include "reelyard/nn/linear.hpp"
#include "reelyard/nn/norm.hpp"
#include "reelyard/nn/split/sequence_attention.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/store/weight_set.hpp"

#include "wan/config.hpp"

namespace reelyard::models::wan {

/// What a rank holds of the blocks' inner width.
struct InnerWidth {
    Interval columns;     ///< of the attention's width D = N K; whole heads
    std::int64_t heads;   ///< in them
    std::int64_t hidden;  ///< of the feed-forward network's width
};

[[nodiscard]] InnerWidth inner_width_of(const TransformerConfig& config, Shard tensor_parallel);

/// Memory that all blocks use in turn; B, L and the type as the stream's tokens of this rank, n and
/// fd what it holds of heads and hidden width.
struct BlockMemory {
    at::Tensor normal;    ///< [B, L, D] compute type
    at::Tensor q;         ///< [B, L, n, K]
    at::Tensor k;         ///< [B, L, n, K]
    at::Tensor v;         ///< [B, L, n, K]
    at::Tensor attended;  ///< [B, L, n K]
    at::Tensor hidden;    ///< [B, L, fd]
};

/// Keys and values of a text in one block, of this rank's heads.
struct TextKeys {
    at::Tensor key;    ///< [B, M, n, K]
    at::Tensor value;  ///< [B, M, n, K]
    at::Tensor bias;   ///< [B, M] float32 or undefined
};

/// What one block needs besides the stream.
struct BlockInputs {
    const at::Tensor& time;  ///< [B, 6, D] float32
    const nn::RotaryTable& rotary;
    const TextKeys& text;
    std::int64_t tokens;  ///< of the whole sequence
    BlockMemory& memory;
    /// Called between the steps of a block: lets what is under way between ranks get on.
    const std::function<void()>& progress;
};

/// Self attention, cross attention to the text and feed-forward network, each on a normalised copy
/// of the stream and added to it; the first and the last are modulated by the time.
class TransformerBlock {
public:
    /// \param weights this rank's slices \param group outlives the block
    TransformerBlock(const TransformerConfig& config,
                     const store::WeightSet& weights,
                     const parallel::VideoGroup& group);

    /// Collective over the group. \param stream [B, L, D] float32, this rank's tokens, changed in
    /// place
    void apply(at::Tensor& stream, const BlockInputs& inputs) const;

    /// Collective over the group. \param context [B, M, D] after the text MLP
    [[nodiscard]] TextKeys text_keys(const at::Tensor& context, const at::Tensor& bias) const;

private:
    /// One attention's weights.
    struct Attention {
        nn::Linear q, k, v, out;
        at::Tensor norm_q, norm_k;  ///< [n K] float32
    };

    [[nodiscard]] Attention attention_of(const store::WeightSet& weights) const;
    void normalise(at::Tensor& heads,
                   const at::Tensor& weight,
                   const nn::RotaryTable* rotary) const;
    void self_attention(at::Tensor& stream,
                        const at::Tensor& gate,
                        const BlockInputs& inputs) const;
    void cross_attention(at::Tensor& stream, const BlockInputs& inputs) const;
    void project(const nn::Linear& layer, const at::Tensor& x, at::Tensor& heads) const;

    TransformerConfig config_;
    parallel::TensorComm& tensor_ranks_;
    nn::SequenceAttention attend_to_all_;
    InnerWidth inner_;
    at::Tensor modulation_;  ///< [1, 6, D] float32
    Attention self_;
    Attention cross_;
    at::Tensor cross_norm_scale_;  ///< [1, D] float32, or undefined
    at::Tensor cross_norm_shift_;
    nn::Linear ffn_in_;
    nn::Linear ffn_out_;
};

}  // namespace reelyard::models::wan
