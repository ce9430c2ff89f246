#include "reelyard/spec/tensor_spec.hpp"

#include <functional>
#include <numeric>

#include "reelyard/base/format.hpp"

namespace reelyard {

std::int64_t element_count(const std::vector<std::int64_t>& shape) {
    return std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>());
}

std::string to_string(const std::vector<std::int64_t>& shape) {
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

}  // namespace reelyard
