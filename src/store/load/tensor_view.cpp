#include "load/tensor_view.hpp"

#include <utility>

#include <ATen/ATen.h>

#include "reelyard/spec/tensor_spec.hpp"

namespace reelyard::store {

at::Tensor view_of(const at::Tensor& bytes,
                   c10::ScalarType dtype,
                   std::vector<std::int64_t> shape,
                   bool transposed,
                   std::int64_t offset) {
    const std::int64_t size =
        element_count(shape) * static_cast<std::int64_t>(c10::elementSize(dtype));
    if (size == 0) {
        return at::empty(shape, bytes.options().dtype(dtype));
    }
    if (transposed) {
        std::swap(shape[0], shape[1]);
    }
    const at::Tensor view = bytes.narrow(0, offset, size).view(dtype).view(shape);
    return transposed ? view.t() : view;
}

}  // namespace reelyard::store
