#include "reelyard/spec/dtype.hpp"

namespace reelyard {

std::int64_t size_of(DType dtype) {
    return dtype == DType::float32 ? 4 : 2;
}

std::string_view to_string(DType dtype) {
    switch (dtype) {
        case DType::float32:
            return "float32";
        case DType::float16:
            return "float16";
        case DType::bfloat16:
            return "bfloat16";
    }
    return "unknown";
}

std::optional<DType> dtype_from_string(std::string_view text) {
    for (const DType dtype : {DType::float32, DType::float16, DType::bfloat16}) {
        if (to_string(dtype) == text) {
            return dtype;
        }
    }
    return std::nullopt;
}

}  // namespace reelyard
