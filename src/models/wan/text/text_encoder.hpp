#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/parallel/video_group.hpp"
#include "reelyard/store/block_shard.hpp"
#include "reelyard/store/weight_set.hpp"

#include "wan/block_weights.hpp"
#include "wan/config.hpp"
#include "wan/text/encoder_block.hpp"

namespace reelyard::models::wan {

/// The encoder of UMT5 (Chung et al. 2023; transformers' UMT5EncoderModel): T5 with an own table of
/// relative position biases in every layer.
class TextEncoder {
public:
    /// \param weights this rank's slices \param group the ranks that compute together: those of a
    /// tensor parallel group the same text, others that share weights one text each; outlives the
    /// encoder \param shards this rank's parts of the blocks when these are shared out
    TextEncoder(const TextEncoderConfig& config,
                const store::WeightSet& weights,
                const parallel::VideoGroup& group,
                const std::vector<store::BlockShard>& shards = {});

    /// Collective over the ranks that compute together.
    /// \param input_ids [B, L] int64
    /// \param attention_mask [B, L] int64, 0 where a token must not be attended to
    /// \returns last hidden state [B, L, D] of the weights' type
    /// \throws Error (input) for an id beyond the vocabulary, before anything is exchanged
    [[nodiscard]] at::Tensor encode(const at::Tensor& input_ids,
                                    const at::Tensor& attention_mask) const;

private:
    [[nodiscard]] at::Tensor embed(const at::Tensor& ids) const;
    [[nodiscard]] TextEncoderBlock block(std::size_t index) const;

    TextEncoderConfig config_;
    const parallel::VideoGroup& group_;
    at::Tensor embedding_;  ///< [this rank's part of the vocabulary, D]
    BlockWeights weights_;
    std::vector<TextEncoderBlock> resident_;  ///< empty when weights are shared out
    at::Tensor final_norm_;                   ///< [D]
};

/// Bucket of every relative position [L, L] (key minus query): exact up to a quarter of the
/// buckets, from there on in logarithmic steps up to `max_distance`; later keys have the upper
/// half.
[[nodiscard]] at::Tensor position_buckets(std::int64_t length,
                                          std::int64_t buckets,
                                          std::int64_t max_distance);

}  // namespace reelyard::models::wan
