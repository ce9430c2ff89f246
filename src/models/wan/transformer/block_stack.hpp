#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "wan/block_weights.hpp"
#include "wan/transformer/transformer_block.hpp"

namespace reelyard::models::wan {

/// The blocks of a transformer in their order.
class BlockStack {
public:
    /// \param weights of all blocks, without those that are shared out \param shards this rank's
    /// part of every block's, by block; empty: none are shared out \param group outlives the stack
    BlockStack(const TransformerConfig& config,
               const store::WeightSet& weights,
               const std::vector<store::BlockShard>& shards,
               const parallel::VideoGroup& group);

    using Visit = std::function<void(std::size_t index, const TransformerBlock& block)>;

    /// Goes through all blocks; each is there during the call alone. Collective over the ranks that
    /// share weights.
    void for_each(const Visit& visit) const;

    /// Moves the gather of the next block on, if there is one; for visits to call now and then.
    void progress() const { weights_.progress(); }

private:
    [[nodiscard]] TransformerBlock block(std::size_t index) const;

    TransformerConfig config_;
    const parallel::VideoGroup& group_;
    BlockWeights weights_;
    std::vector<TransformerBlock> resident_;  ///< empty when weights are shared out
};

}  // namespace reelyard::models::wan
