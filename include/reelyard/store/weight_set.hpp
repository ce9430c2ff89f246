#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace reelyard::store {

/// The weights of one component on this rank: names and views into storage that they keep alive.
class WeightSet {
public:
    WeightSet() = default;
    /// \param tensors name -> tensor of the final dtype, shape and device
    WeightSet(std::string component, std::map<std::string, at::Tensor> tensors);

    /// The tensor `name` (with the scope's prefix). \throws Error (internal) naming component and
    /// tensor
    [[nodiscard]] at::Tensor get(const std::string& name) const;
    [[nodiscard]] bool contains(const std::string& name) const;

    /// The same weights seen from below `prefix`: scope("blocks.0").get("ffn.net.2.weight").
    [[nodiscard]] WeightSet scope(const std::string& prefix) const;

    /// All names below this scope, without its prefix, sorted.
    [[nodiscard]] std::vector<std::string> names() const;

private:
    std::string component_;
    std::string prefix_;
    std::shared_ptr<const std::map<std::string, at::Tensor>>
        tensors_;  // shared by all scopes of one set
};

}  // namespace reelyard::store
