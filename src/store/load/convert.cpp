#include "load/convert.hpp"

#include <algorithm>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

#include "scalar_type.hpp"

namespace reelyard::store {
namespace {

// LibTorch keeps to the calling thread below this many elements.
constexpr std::int64_t batch = 16384;

at::Tensor view(const std::byte* data, std::int64_t count, DType dtype) {
    // from_blob() takes no pointer to const; what is read from is not written to.
    return at::from_blob(
        const_cast<std::byte*>(data), {count}, at::TensorOptions(to_scalar_type(dtype)));
}

}  // namespace

void convert(std::span<const std::byte> from,
             DType from_type,
             std::span<std::byte> to,
             DType to_type) {
    const std::int64_t count = static_cast<std::int64_t>(from.size()) / size_of(from_type);
    REELYARD_EXPECT(static_cast<std::int64_t>(to.size()) == count * size_of(to_type));
    for (std::int64_t done = 0; done < count; done += batch) {
        const std::int64_t now = std::min(batch, count - done);
        view(to.data() + done * size_of(to_type), now, to_type)
            .copy_(view(from.data() + done * size_of(from_type), now, from_type));
    }
}

}  // namespace reelyard::store
