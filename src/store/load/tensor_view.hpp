#pragma once

#include <cstdint>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/ScalarType.h>

namespace reelyard::store {

/// A tensor as a view into the bytes of its segment or block.
/// \param bytes uint8 [n] \param shape as the model sees it \param transposed whether it lies with
/// its two axes swapped \param offset in `bytes`
[[nodiscard]] at::Tensor view_of(const at::Tensor& bytes,
                                 c10::ScalarType dtype,
                                 std::vector<std::int64_t> shape,
                                 bool transposed,
                                 std::int64_t offset);

}  // namespace reelyard::store
