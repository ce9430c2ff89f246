#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace reelyard {

/// Element types of weights and of compute.
enum class DType { float32, float16, bfloat16 };

/// Bytes per element.
[[nodiscard]] std::int64_t size_of(DType dtype);

/// "float32", "float16", "bfloat16".
[[nodiscard]] std::string_view to_string(DType dtype);

/// The inverse of to_string(); nothing for any other text.
[[nodiscard]] std::optional<DType> dtype_from_string(std::string_view text);

}  // namespace reelyard
