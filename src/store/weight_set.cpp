#include "reelyard/store/weight_set.hpp"

#include <utility>

#include "reelyard/base/error.hpp"

namespace reelyard::store {

WeightSet::WeightSet(std::string component, std::map<std::string, at::Tensor> tensors)
    : component_(std::move(component))
    , tensors_(std::make_shared<const std::map<std::string, at::Tensor>>(std::move(tensors))) {}

at::Tensor WeightSet::get(const std::string& name) const {
    REELYARD_EXPECT(tensors_ != nullptr);
    const auto found = tensors_->find(prefix_ + name);
    require(found != tensors_->end(),
            ErrorKind::internal,
            "component '{}' has no tensor '{}{}'",
            component_,
            prefix_,
            name);
    return found->second;
}

bool WeightSet::contains(const std::string& name) const {
    return tensors_ != nullptr && tensors_->count(prefix_ + name) > 0;
}

WeightSet WeightSet::scope(const std::string& prefix) const {
    WeightSet inner = *this;
    inner.prefix_ += prefix + ".";
    return inner;
}

std::vector<std::string> WeightSet::names() const {
    std::vector<std::string> names;
    if (tensors_ == nullptr) {
        return names;
    }
    for (auto it = tensors_->lower_bound(prefix_);
         it != tensors_->end() && it->first.compare(0, prefix_.size(), prefix_) == 0;
         ++it) {
        names.push_back(it->first.substr(prefix_.size()));
    }
    return names;
}

}  // namespace reelyard::store
