#pragma once

#include <vector>

#include "kernels/products/products.hpp"
#include "kernels/rows/row_kernels.hpp"

namespace reelyard::nn::kernels {

/// What this processor can run, the fastest last; for tests.
[[nodiscard]] std::vector<const RowKernels*> available_row_kernels();
/// The float32 ones, the fastest last, and behind them those for bfloat16.
[[nodiscard]] std::vector<const Products*> available_products();

}  // namespace reelyard::nn::kernels
