#pragma once

#include <string>

#include "reelyard/nn/linear.hpp"
#include "reelyard/store/weight_set.hpp"

namespace reelyard::models::wan {

/// The linear layer `name`: its weight, and its bias where it has one.
[[nodiscard]] inline nn::Linear linear_of(const store::WeightSet& weights,
                                          const std::string& name) {
    const std::string bias = name + ".bias";
    return {.weight = weights.get(name + ".weight"),
            .bias = weights.contains(bias) ? weights.get(bias) : at::Tensor()};
}

}  // namespace reelyard::models::wan
