#include "wan/transformer/block_stack.hpp"

namespace reelyard::models::wan {

BlockStack::BlockStack(const TransformerConfig& config,
                       const store::WeightSet& weights,
                       const std::vector<store::BlockShard>& shards,
                       const parallel::VideoGroup& group)
    : config_(config)
    , group_(group)
    , weights_({.component = "transformer",
                .prefix = "blocks.",
                .count = static_cast<std::size_t>(config.layers)},
               weights,
               shards,
               *group.shards) {
    if (weights_.are_resident()) {
        resident_.reserve(weights_.count());
        for (std::size_t i = 0; i < weights_.count(); ++i) {
            resident_.push_back(block(i));
        }
    }
}

TransformerBlock BlockStack::block(std::size_t index) const {
    return {config_, weights_.take(index), group_};
}

void BlockStack::for_each(const Visit& visit) const {
    for (std::size_t i = 0; i < weights_.count(); ++i) {
        if (resident_.empty()) {
            visit(i, block(i));
        } else {
            visit(i, resident_[i]);
        }
    }
}

}  // namespace reelyard::models::wan
