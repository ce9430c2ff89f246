#pragma once

#include <array>
#include <map>
#include <vector>

#include "reelyard/models/transformer.hpp"
#include "reelyard/spec/dtype.hpp"

#include "wan/transformer/block_stack.hpp"
#include "wan/transformer/time_embedder.hpp"
#include "wan/transformer/transformer_block.hpp"

namespace reelyard::models::wan {

/// The Wan2.1 text-to-video transformer.
class WanTransformer final : public Transformer {
public:
    /// \param weights this rank's slices, in the compute type \param compute float32 or bfloat16
    /// \param group the ranks that compute together; outlives the transformer
    /// \param shards this rank's parts of the blocks when these are shared out
    WanTransformer(const TransformerConfig& config,
                   const store::WeightSet& weights,
                   DType compute,
                   const parallel::VideoGroup& group,
                   const std::vector<store::BlockShard>& shards = {});

    [[nodiscard]] Conditioning batch(const std::vector<Conditioning>& texts) const override;

    /// \param conditioning "context" [B, L, D] as TextConditioner makes it; the rows up to
    /// context_length are padding. With "context_rows" (int64, one number) that many instead.
    /// \returns keys and values of every block
    [[nodiscard]] Conditioning prepare(const Conditioning& conditioning) const override;

    [[nodiscard]] at::Tensor velocity(const at::Tensor& latent,
                                      const at::Tensor& timestep,
                                      const Conditioning& prepared) override;

private:
    using Grid = std::array<std::int64_t, 3>;

    [[nodiscard]] Grid grid_of(const at::Tensor& latent) const;
    [[nodiscard]] const nn::RotaryTable& rotary_of(const Grid& grid);
    [[nodiscard]] BlockMemory& memory_for(std::int64_t batch, std::int64_t length);
    /// Of the sequence of a video, this rank's tokens.
    [[nodiscard]] Interval own_tokens(const Grid& grid) const;
    [[nodiscard]] at::Tensor embed_patches(const at::Tensor& latent, Interval tokens) const;
    [[nodiscard]] at::Tensor head(const at::Tensor& stream, const at::Tensor& time) const;
    [[nodiscard]] at::Tensor gather(const at::Tensor& own, std::int64_t tokens) const;

    TransformerConfig config_;
    const parallel::VideoGroup& group_;
    at::ScalarType compute_;
    nn::Linear patch_embedding_;
    nn::Linear text_in_;
    nn::Linear text_out_;
    TimeEmbedder time_;
    BlockStack blocks_;
    at::Tensor head_modulation_;  ///< [1, 2, D] float32
    nn::Linear head_;
    std::map<Grid, nn::RotaryTable> rotary_;  ///< of this rank's tokens, by size of the video
    BlockMemory memory_;
};

}  // namespace reelyard::models::wan
