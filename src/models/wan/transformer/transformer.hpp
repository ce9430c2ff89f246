#pragma once

#include <array>
#include <map>
#include <vector>

#include "reelyard/models/transformer.hpp"
#include "reelyard/spec/dtype.hpp"

#include "wan/transformer/time_embedder.hpp"
#include "wan/transformer/transformer_block.hpp"

namespace reelyard::models::wan {

/// The Wan2.1 text-to-video transformer.
class WanTransformer final : public Transformer {
public:
    /// \param compute float32 or bfloat16; the weights have come in it
    WanTransformer(const TransformerConfig& config, const store::WeightSet& weights, DType compute);

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
    [[nodiscard]] at::Tensor embed_patches(const at::Tensor& latent) const;
    [[nodiscard]] at::Tensor head(const at::Tensor& stream, const at::Tensor& time) const;

    TransformerConfig config_;
    at::ScalarType compute_;
    nn::Linear patch_embedding_;
    nn::Linear text_in_;
    nn::Linear text_out_;
    TimeEmbedder time_;
    std::vector<TransformerBlock> blocks_;
    at::Tensor head_modulation_;  ///< [1, 2, D] float32
    nn::Linear head_;
    std::map<Grid, nn::RotaryTable> rotary_;  ///< by size of the video
    BlockMemory memory_;
};

}  // namespace reelyard::models::wan
