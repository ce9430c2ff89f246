#include "wan/transformer/time_embedder.hpp"

#include <ATen/ATen.h>

#include "reelyard/nn/timestep_embedding.hpp"

#include "wan/transformer/weights.hpp"

namespace reelyard::models::wan {

TimeEmbedder::TimeEmbedder(const TransformerConfig& config, const store::WeightSet& weights)
    : config_(config)
    , first_(linear_of(weights, "time_embedder.linear_1"))
    , second_(linear_of(weights, "time_embedder.linear_2"))
    , projection_(linear_of(weights, "time_proj")) {}

TimeEmbedding TimeEmbedder::compute(const at::Tensor& timestep) const {
    const at::Tensor waves =
        nn::timestep_embedding(timestep.to(first_.weight.device()), config_.frequency_width);
    const at::Tensor head = nn::linear(at::silu(nn::linear(waves, first_)), second_);
    const at::Tensor blocks = nn::linear(at::silu(head), projection_);
    return {.head = head, .blocks = blocks.view({-1, 6, config_.width()})};
}

const TimeEmbedding& TimeEmbedder::embed(const at::Tensor& timestep) {
    constexpr std::size_t most_kept =
        256;  // more than a schedule has; bounds what odd callers cost
    const at::Tensor values = timestep.to(at::kCPU, at::kFloat).contiguous();
    const std::vector<float> key(values.const_data_ptr<float>(),
                                 values.const_data_ptr<float>() + values.numel());
    const auto found = known_.find(key);
    if (found != known_.end()) {
        return found->second;
    }
    if (known_.size() >= most_kept) {
        known_.clear();
    }
    return known_.emplace(key, compute(timestep)).first->second;
}

}  // namespace reelyard::models::wan
