#pragma once

#include "kernels/rows/row_kernels.hpp"
#include "kernels/rows/softmax.hpp"
#include "kernels/rows/vector_functions.hpp"

// The row kernels in terms of vectors.hpp; included by one file per instruction set.
namespace reelyard::nn::kernels {
namespace {

inline float square_root(float x) {
    return __builtin_sqrtf(x);
}

REELYARD_INLINE float mean_of(const float* x, std::int64_t width) {
    Floats sum{};
    for_vectors(width, [&](std::int64_t at, std::int64_t count) REELYARD_INLINED {
        sum += load_any<false>(x, at, count);
    });
    return sum_of(sum) / static_cast<float>(width);
}

REELYARD_INLINE float variance_of(const float* x, std::int64_t width, float mean) {
    Floats sum{};
    std::int64_t at = 0;
    for (; at + lanes <= width; at += lanes) {
        const Floats d = load(x + at) - mean;
        sum += d * d;
    }
    float total = sum_of(sum);
    for (; at < width; ++at) {
        total += (x[at] - mean) * (x[at] - mean);
    }
    return total / static_cast<float>(width);
}

template <bool to_bfloat16>
void layer_norm(const LayerNormRow& row) {
    const float mean = mean_of(row.x, row.width);
    const float inverse = 1.0F / square_root(variance_of(row.x, row.width, mean) + row.eps);
    for_vectors(row.width, [&](std::int64_t at, std::int64_t count) REELYARD_INLINED {
        const Floats normal = (load_any<false>(row.x, at, count) - mean) * inverse;
        const Floats y =
            normal * load_any<false>(row.scale, at, count) + load_any<false>(row.shift, at, count);
        store_any<to_bfloat16>(row.out.data, at, y, count);
    });
}

inline void layer_norm_any(const LayerNormRow& row) {
    row.out.is_bfloat16 ? layer_norm<true>(row) : layer_norm<false>(row);
}

template <bool is_bfloat16>
REELYARD_INLINE float sum_of_squares(const void* data, std::int64_t width) {
    Floats sum{};
    for_vectors(width, [&](std::int64_t at, std::int64_t count) REELYARD_INLINED {
        const Floats x = load_any<is_bfloat16>(data, at, count);
        sum += x * x;
    });
    return sum_of(sum);
}

inline float sum_of_squares_any(const Numbers& x, std::int64_t count) {
    return x.is_bfloat16 ? sum_of_squares<true>(x.data, count)
                         : sum_of_squares<false>(x.data, count);
}

template <bool is_bfloat16>
REELYARD_INLINE float inverse_rms(const RmsRotateRow& row) {
    const std::int64_t width = row.heads * row.head_width;
    const float mean_square =
        row.mean_square != nullptr
            ? *row.mean_square
            : sum_of_squares<is_bfloat16>(row.x.data, width) / static_cast<float>(width);
    return 1.0F / square_root(mean_square + row.eps);
}

/// Element 2j and 2j + 1 changed for each other.
REELYARD_INLINE Floats swap_pairs(Floats x) {
    return pick(
        x, x, [](std::int32_t i) { return i ^ 1; }, every_lane);
}

template <bool is_bfloat16>
void rms_rotate(const RmsRotateRow& row) {
    const float inverse = inverse_rms<is_bfloat16>(row);
    for (std::int64_t head = 0; head < row.heads; ++head) {
        const std::int64_t first = head * row.head_width;
        for_vectors(row.head_width, [&](std::int64_t at, std::int64_t count) REELYARD_INLINED {
            Floats x = load_any<is_bfloat16>(row.x.data, first + at, count) * inverse;
            if constexpr (is_bfloat16) {
                x = round_to_bfloat16(x);
            }
            x *= load_any<false>(row.weight, first + at, count);
            if (row.cosine != nullptr) {
                x = x * load_any<false>(row.cosine, at, count) +
                    swap_pairs(x) * load_any<false>(row.sine, at, count);
            }
            store_any<is_bfloat16>(row.x.data, first + at, x, count);
        });
    }
}

inline void rms_rotate_any(const RmsRotateRow& row) {
    row.x.is_bfloat16 ? rms_rotate<true>(row) : rms_rotate<false>(row);
}

template <bool sums_bfloat16, bool out_bfloat16>
void finish(const FinishRow& row) {
    for_vectors(row.width, [&](std::int64_t at, std::int64_t count) REELYARD_INLINED {
        Floats value = load_any<sums_bfloat16>(row.sums.data, at, count);
        if (row.bias != nullptr) {
            value += load_any<false>(row.bias, at, count);
        }
        if (row.rounds_to_bfloat16) {
            value = round_to_bfloat16(value);
        }
        if (row.gelu) {
            value = gelu_tanh(value);
        }
        if (row.stream == nullptr) {
            store_any<out_bfloat16>(row.out.data, at, value, count);
            return;
        }
        if (row.gate != nullptr) {
            value *= load_any<false>(row.gate, at, count);
        }
        value += load_any<false>(row.stream, at, count);
        store_any<false>(row.stream, at, value, count);
    });
}

inline void finish_any(const FinishRow& row) {
    if (row.sums.is_bfloat16) {
        row.out.is_bfloat16 ? finish<true, true>(row) : finish<true, false>(row);
    } else {
        row.out.is_bfloat16 ? finish<false, true>(row) : finish<false, false>(row);
    }
}

inline void multiply(float* x, float factor, std::int64_t count) {
    for_vectors(count, [&](std::int64_t at, std::int64_t part) REELYARD_INLINED {
        store_any<false>(x, at, load_any<false>(x, at, part) * factor, part);
    });
}

inline void convert(const float* x, float factor, const Numbers& out, std::int64_t count) {
    for_vectors(count, [&](std::int64_t at, std::int64_t part) REELYARD_INLINED {
        const Floats value = load_any<false>(x, at, part) * factor;
        if (out.is_bfloat16) {
            store_any<true>(out.data, at, value, part);
        } else {
            store_any<false>(out.data, at, value, part);
        }
    });
}

constexpr RowKernels kernels_named(const char* name) {
    return {.name = name,
            .layer_norm = layer_norm_any,
            .rms_rotate = rms_rotate_any,
            .sum_of_squares = sum_of_squares_any,
            .finish = finish_any,
            .softmax = softmax,
            .multiply = multiply,
            .convert = convert};
}

}  // namespace
}  // namespace reelyard::nn::kernels
