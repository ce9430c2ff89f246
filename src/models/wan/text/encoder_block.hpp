#pragma once

#include <cstdint>
#include <functional>

#include <ATen/core/Tensor.h>

#include "reelyard/nn/linear.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/spec/shard.hpp"
#include "reelyard/store/weight_set.hpp"

#include "wan/config.hpp"

namespace reelyard::models::wan {

/// x / sqrt(mean of x^2 + eps), rounded to the weight's type, times the weight.
/// \param x [B, L, D] float32
[[nodiscard]] at::Tensor text_norm(const at::Tensor& x, const at::Tensor& weight, double eps);

/// What one block needs besides the stream.
struct TextBlockInputs {
    const at::Tensor& buckets;  ///< [L, L] int64, of the relative positions
    const at::Tensor& mask;     ///< [B, 1, 1, L], is added to the scores
    /// Called between the steps of a block: lets what is under way between ranks get on.
    const std::function<void()>& progress;
};

/// Self attention and gated feed-forward network, each on a normalised copy of the stream and added
/// to it. The ranks of a tensor parallel group have some of the heads and of the hidden width each;
/// with more ranks than heads some have none.
class TextEncoderBlock {
public:
    /// \param weights this rank's slices \param group outlives the block
    TextEncoderBlock(const TextEncoderConfig& config,
                     const store::WeightSet& weights,
                     const parallel::VideoGroup& group);

    /// Collective over the tensor parallel group. \param stream [B, L, D] float32, the same on all
    /// its ranks, changed in place
    void apply(at::Tensor& stream, const TextBlockInputs& inputs) const;

private:
    /// \param x [B, L, D] \returns [B, L, n K]
    [[nodiscard]] at::Tensor attended(const at::Tensor& x, const TextBlockInputs& inputs) const;
    void feed_forward(at::Tensor& stream) const;

    TextEncoderConfig config_;
    parallel::TensorComm& tensor_ranks_;
    Interval heads_;  ///< of all N, this rank's n
    at::Tensor attention_norm_;
    nn::Linear q_, k_, v_, o_;
    at::Tensor position_bias_;  ///< [buckets, n]
    at::Tensor ffn_norm_;
    nn::Linear gate_, up_, down_;
};

}  // namespace reelyard::models::wan
