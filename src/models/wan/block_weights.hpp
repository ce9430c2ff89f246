#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "reelyard/nn/split/block_gather.hpp"
#include "reelyard/parallel/tensor_comm.hpp"
#include "reelyard/store/block_shard.hpp"
#include "reelyard/store/weight_set.hpp"

namespace reelyard::models::wan {

/// The weights of blocks that are used one after the other. They lie on this rank, or a part of
/// each block's does and the whole is gathered when its turn comes.
class BlockWeights {
public:
    /// Where the blocks are found.
    struct Stack {
        std::string component;
        std::string prefix;  ///< of their names, before the number: "blocks."
        std::size_t count = 0;
    };

    /// \param weights of all blocks, without those that are shared out \param shards this rank's
    /// part of every block's, by block; empty: none are shared out \param ranks that share them;
    /// outlives this
    BlockWeights(Stack stack,
                 const store::WeightSet& weights,
                 const std::vector<store::BlockShard>& shards,
                 parallel::TensorComm& ranks);

    [[nodiscard]] std::size_t count() const { return stack_.count; }
    /// Whether all of them lie here, for as long as one likes.
    [[nodiscard]] bool are_resident() const { return gather_ == nullptr; }

    /// One block's weights. If they are shared out: as views that live until the next call;
    /// collective, in the order of the blocks, again and again.
    [[nodiscard]] store::WeightSet take(std::size_t index) const;

    /// Moves the gather of the next block on, if there is one, without waiting.
    void progress() const;

private:
    [[nodiscard]] std::string name_of(std::size_t index) const;

    Stack stack_;
    store::WeightSet weights_;
    std::vector<store::BlockShard> shards_;
    /// Of each block what is too small to be shared out.
    std::vector<std::map<std::string, at::Tensor>> whole_;
    std::unique_ptr<nn::BlockGather> gather_;
};

}  // namespace reelyard::models::wan
