#include "wan/block_weights.hpp"

#include <utility>

#include "reelyard/base/error.hpp"

namespace reelyard::models::wan {
namespace {

/// The weights below `prefix`, by their full names.
std::map<std::string, at::Tensor> tensors_below(const std::string& prefix,
                                                const store::WeightSet& weights) {
    std::map<std::string, at::Tensor> tensors;
    const store::WeightSet scope = weights.scope(prefix);
    for (const std::string& name : scope.names()) {
        tensors.emplace(fmt::format("{}.{}", prefix, name), scope.get(name));
    }
    return tensors;
}

}  // namespace

BlockWeights::BlockWeights(Stack stack,
                           const store::WeightSet& weights,
                           const std::vector<store::BlockShard>& shards,
                           parallel::TensorComm& ranks)
    : stack_(std::move(stack))
    , weights_(weights)
    , shards_(shards) {
    if (shards_.empty()) {
        return;
    }
    REELYARD_EXPECT(shards_.size() == stack_.count);
    std::vector<nn::BlockGather::Block> parts;
    parts.reserve(stack_.count);
    whole_.reserve(stack_.count);
    for (std::size_t i = 0; i < stack_.count; ++i) {
        REELYARD_EXPECT(shards_[i].block == static_cast<int>(i));
        parts.push_back({.cuts = shards_[i].cuts, .own = shards_[i].part});
        whole_.push_back(tensors_below(name_of(i), weights));
    }
    gather_ = std::make_unique<nn::BlockGather>(std::move(parts), ranks);
}

std::string BlockWeights::name_of(std::size_t index) const {
    return fmt::format("{}{}", stack_.prefix, index);
}

store::WeightSet BlockWeights::take(std::size_t index) const {
    if (!gather_) {
        return weights_.scope(name_of(index));
    }
    const store::WeightSet shared =
        store::tensors_of(shards_[index], stack_.component, gather_->take(index));
    auto tensors = whole_[index];
    for (const std::string& name : shared.names()) {
        tensors.emplace(name, shared.get(name));
    }
    return store::WeightSet(stack_.component, std::move(tensors)).scope(name_of(index));
}

void BlockWeights::progress() const {
    if (gather_) {
        gather_->progress();
    }
}

}  // namespace reelyard::models::wan
