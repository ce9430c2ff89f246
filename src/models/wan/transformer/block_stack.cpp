#include "wan/transformer/block_stack.hpp"

#include <utility>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

namespace reelyard::models::wan {
namespace {

constexpr const char* component = "transformer";

std::string name_of(std::size_t block) {
    return fmt::format("blocks.{}", block);
}

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

BlockStack::BlockStack(const TransformerConfig& config,
                       const store::WeightSet& weights,
                       const std::vector<store::BlockShard>& shards,
                       const parallel::VideoGroup& group)
    : config_(config)
    , group_(group)
    , shards_(shards) {
    const auto layers = static_cast<std::size_t>(config.layers);
    if (shards_.empty()) {
        for (std::size_t i = 0; i < layers; ++i) {
            resident_.emplace_back(config, weights.scope(name_of(i)), group);
        }
        return;
    }
    REELYARD_EXPECT(shards_.size() == layers);
    std::vector<nn::BlockGather::Block> parts;
    for (std::size_t i = 0; i < layers; ++i) {
        REELYARD_EXPECT(shards_[i].block == static_cast<int>(i));
        parts.push_back({.cuts = shards_[i].cuts, .own = shards_[i].part});
        whole_.push_back(tensors_below(name_of(i), weights));
    }
    gather_ = std::make_unique<nn::BlockGather>(std::move(parts), *group.shards);
}

/// The block as views into one of the two buffers.
TransformerBlock BlockStack::gathered(std::size_t index) const {
    const store::WeightSet shared =
        store::tensors_of(shards_[index], component, gather_->take(index));
    auto tensors = whole_[index];
    for (const std::string& name : shared.names()) {
        tensors.emplace(name, shared.get(name));
    }
    return {config_, store::WeightSet(component, std::move(tensors)).scope(name_of(index)), group_};
}

void BlockStack::for_each(const Visit& visit) const {
    for (std::size_t i = 0; i < static_cast<std::size_t>(config_.layers); ++i) {
        if (gather_) {
            visit(i, gathered(i));
        } else {
            visit(i, resident_[i]);
        }
    }
}

void BlockStack::progress() const {
    if (gather_) {
        gather_->progress();
    }
}

}  // namespace reelyard::models::wan
