#pragma once

#include <map>
#include <string>

#include <ATen/core/Tensor.h>

namespace reelyard::models {

/// What a family's conditioner makes of a prompt and its transformer reads: a named set of tensors
/// that everything between the two carries unopened.
struct Conditioning {
    std::map<std::string, at::Tensor> tensors;
};

}  // namespace reelyard::models
