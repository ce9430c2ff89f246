#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "reelyard/nn/linear.hpp"
#include "reelyard/nn/norm.hpp"
#include "reelyard/store/weight_set.hpp"

#include "wan/config.hpp"

namespace reelyard::models::wan {

/// Memory that all blocks use in turn; B, L and the type as the stream's tokens.
struct BlockMemory {
    at::Tensor normal;    ///< [B, L, D] compute type
    at::Tensor q;         ///< [B, L, N, K]
    at::Tensor k;         ///< [B, L, N, K]
    at::Tensor v;         ///< [B, L, N, K]
    at::Tensor attended;  ///< [B, L, D]
    at::Tensor hidden;    ///< [B, L, Fd]
};

/// Keys and values of a text in one block.
struct TextKeys {
    at::Tensor key;    ///< [B, M, N, K]
    at::Tensor value;  ///< [B, M, N, K]
    at::Tensor bias;   ///< [B, M] float32 or undefined
};

/// What one block needs besides the stream.
struct BlockInputs {
    const at::Tensor& time;  ///< [B, 6, D] float32
    const nn::RotaryTable& rotary;
    const TextKeys& text;
    BlockMemory& memory;
};

/// Self attention, cross attention to the text and feed-forward network, each on a normalised copy
/// of the stream and added to it; the first and the last are modulated by the time.
class TransformerBlock {
public:
    TransformerBlock(const TransformerConfig& config, const store::WeightSet& weights);

    /// \param stream [B, L, D] float32, changed in place
    void apply(at::Tensor& stream, const BlockInputs& inputs) const;

    /// \param context [B, M, D] after the text MLP
    [[nodiscard]] TextKeys text_keys(const at::Tensor& context, const at::Tensor& bias) const;

private:
    /// One attention's weights.
    struct Attention {
        nn::Linear q, k, v, out;
        at::Tensor norm_q, norm_k;  ///< [D] float32
    };

    static Attention attention_of(const store::WeightSet& weights);
    void self_attention(at::Tensor& stream,
                        const at::Tensor& gate,
                        const BlockInputs& inputs) const;
    void cross_attention(at::Tensor& stream, const BlockInputs& inputs) const;
    void project(const nn::Linear& layer, const at::Tensor& x, at::Tensor& heads) const;

    TransformerConfig config_;
    at::Tensor modulation_;  ///< [1, 6, D] float32
    Attention self_;
    Attention cross_;
    at::Tensor cross_norm_scale_;  ///< [1, D] float32, or undefined
    at::Tensor cross_norm_shift_;
    nn::Linear ffn_in_;
    nn::Linear ffn_out_;
};

}  // namespace reelyard::models::wan
