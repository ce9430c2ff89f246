#pragma once

#include <c10/core/ScalarType.h>

#include "reelyard/spec/dtype.hpp"

namespace reelyard::store {

/// LibTorch's name of an element type.
[[nodiscard]] inline c10::ScalarType to_scalar_type(DType dtype) {
    switch (dtype) {
        case DType::float32:
            return c10::ScalarType::Float;
        case DType::float16:
            return c10::ScalarType::Half;
        case DType::bfloat16:
            return c10::ScalarType::BFloat16;
    }
    return c10::ScalarType::Undefined;
}

}  // namespace reelyard::store
