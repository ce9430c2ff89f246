#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/nn/linear.hpp"
#include "reelyard/store/weight_set.hpp"

#include "wan/config.hpp"

namespace reelyard::models::wan {

/// The encoder of UMT5 (Chung et al. 2023; transformers' UMT5EncoderModel): T5 with an own table of
/// relative position biases in every layer.
class TextEncoder {
public:
    TextEncoder(const TextEncoderConfig& config, const store::WeightSet& weights);

    /// \param input_ids [B, L] int64
    /// \param attention_mask [B, L] int64, 0 where a token must not be attended to
    /// \returns last hidden state [B, L, D] of the weights' type
    /// \throws Error (input) for an id beyond the vocabulary
    [[nodiscard]] at::Tensor encode(const at::Tensor& input_ids,
                                    const at::Tensor& attention_mask) const;

private:
    struct Layer {
        at::Tensor attention_norm;
        nn::Linear q, k, v, o;
        at::Tensor position_bias;  ///< [buckets, N]
        at::Tensor ffn_norm;
        nn::Linear gate, up, down;
    };

    void attend(const Layer& layer,
                const at::Tensor& buckets,
                const at::Tensor& mask,
                at::Tensor& stream) const;
    void feed_forward(const Layer& layer, at::Tensor& stream) const;

    TextEncoderConfig config_;
    at::Tensor embedding_;  ///< [vocabulary, D]
    std::vector<Layer> layers_;
    at::Tensor final_norm_;  ///< [D]
};

/// Bucket of every relative position [L, L] (key minus query): exact up to a quarter of the
/// buckets, from there on in logarithmic steps up to `max_distance`; later keys have the upper
/// half.
[[nodiscard]] at::Tensor position_buckets(std::int64_t length,
                                          std::int64_t buckets,
                                          std::int64_t max_distance);

}  // namespace reelyard::models::wan
