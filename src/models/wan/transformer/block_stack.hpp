#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/nn/split/block_gather.hpp"
#include "reelyard/store/block_shard.hpp"
#include "reelyard/store/weight_set.hpp"

#include "wan/transformer/transformer_block.hpp"

namespace reelyard::models::wan {

/// The blocks of a transformer in their order. Their weights lie on this rank, or a part of each
/// does and the whole is gathered when its turn comes.
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
    void progress() const;

private:
    [[nodiscard]] TransformerBlock gathered(std::size_t index) const;

    TransformerConfig config_;
    const parallel::VideoGroup& group_;
    std::vector<TransformerBlock> resident_;  ///< empty when weights are shared out
    std::vector<store::BlockShard> shards_;
    /// Of each block what is too small to be shared out.
    std::vector<std::map<std::string, at::Tensor>> whole_;
    std::unique_ptr<nn::BlockGather> gather_;
};

}  // namespace reelyard::models::wan
