#pragma once

#include <map>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/nn/linear.hpp"
#include "reelyard/store/weight_set.hpp"

#include "wan/config.hpp"

namespace reelyard::models::wan {

/// What the transformer is told of the time.
struct TimeEmbedding {
    at::Tensor head;    ///< [B, D] float32, for the last layer
    at::Tensor blocks;  ///< [B, 6, D] float32, for every block
};

/// Sinusoids and MLP, in float32; the results of one schedule are kept.
class TimeEmbedder {
public:
    TimeEmbedder(const TransformerConfig& config, const store::WeightSet& weights);

    /// \param timestep [B] float32
    [[nodiscard]] const TimeEmbedding& embed(const at::Tensor& timestep);

private:
    [[nodiscard]] TimeEmbedding compute(const at::Tensor& timestep) const;

    TransformerConfig config_;
    nn::Linear first_;
    nn::Linear second_;
    nn::Linear projection_;
    std::map<std::vector<float>, TimeEmbedding> known_;  ///< by timesteps
};

}  // namespace reelyard::models::wan
