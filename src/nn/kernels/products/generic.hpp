#pragma once

#include "kernels/products/products.hpp"
#include "kernels/rows/vector_functions.hpp"

// Float32 products in terms of vectors.hpp; included by one file per instruction set.
namespace reelyard::nn::kernels {
namespace {

inline constexpr std::int64_t panel_width = 2 * lanes;
// As many rows as the registers hold sums for: two vectors each, beside those of B and one of A.
inline constexpr std::int64_t most_rows = lanes == 16 ? 14 : 6;

/// `rows` rows of C, kept in registers while the depth goes by.
template <std::int64_t rows>
void multiply_rows(const Multiply& call, const float* a, float* c) {
    const auto* b = static_cast<const float*>(call.panel);
    Floats sums[rows][2];
#pragma GCC unroll 16
    for (std::int64_t r = 0; r < rows; ++r) {
        sums[r][0] = call.add ? load(c + r * call.c_stride) : Floats{};
        sums[r][1] = call.add ? load(c + r * call.c_stride + lanes) : Floats{};
    }
    const std::int64_t stride = call.a_stride;
    const std::int64_t depth = call.depth;
    for (std::int64_t d = 0; d < depth; ++d) {
        const Floats left = load(b + d * panel_width);
        const Floats right = load(b + d * panel_width + lanes);
#pragma GCC unroll 16
        for (std::int64_t r = 0; r < rows; ++r) {
            const float x = a[r * stride + d];
            sums[r][0] += x * left;
            sums[r][1] += x * right;
        }
    }
#pragma GCC unroll 16
    for (std::int64_t r = 0; r < rows; ++r) {
        store(c + r * call.c_stride, sums[r][0]);
        store(c + r * call.c_stride + lanes, sums[r][1]);
    }
}

/// The rows that are left, in falling powers of two.
template <std::int64_t rows>
void multiply_rest(const Multiply& call, std::int64_t row) {
    if (row + rows <= call.rows) {
        multiply_rows<rows>(call,
                            static_cast<const float*>(call.a) + row * call.a_stride,
                            call.c + row * call.c_stride);
        row += rows;
    }
    if constexpr (rows > 1) {
        multiply_rest<rows / 2>(call, row);
    }
}

inline void multiply(const Multiply& call) {
    std::int64_t row = 0;
    for (; row + most_rows <= call.rows; row += most_rows) {
        multiply_rows<most_rows>(call,
                                 static_cast<const float*>(call.a) + row * call.a_stride,
                                 call.c + row * call.c_stride);
    }
    multiply_rest<lanes == 16 ? 8 : 4>(call, row);
}

template <bool is_bfloat16>
REELYARD_INLINE float element(const void* data, std::int64_t at) {
    if constexpr (is_bfloat16) {
        const std::uint32_t bits =
            static_cast<std::uint32_t>(static_cast<const std::uint16_t*>(data)[at]) << 16;
        float value;
        std::memcpy(&value, &bits, sizeof(value));
        return value;
    } else {
        return static_cast<const float*>(data)[at];
    }
}

/// `lanes` columns from `first` on, `lanes` deep from `depth` on; zeros where there are none.
template <bool is_bfloat16>
REELYARD_INLINE void load_square(const PackPanel& call,
                                 std::int64_t first,
                                 std::int64_t depth,
                                 Floats (&square)[lanes]) {
    const std::int64_t deep = call.depth - depth;
    const std::int64_t at = first * call.column_stride + depth;
    if (deep >= lanes && first + lanes <= call.columns) {
#pragma GCC unroll 16
        for (std::int64_t c = 0; c < lanes; ++c) {
            square[c] = load_any<is_bfloat16>(call.source, at + c * call.column_stride, lanes);
        }
        return;
    }
    for (std::int64_t c = 0; c < lanes; ++c) {
        square[c] = first + c < call.columns
                        ? load_any<is_bfloat16>(
                              call.source, at + c * call.column_stride, deep < lanes ? deep : lanes)
                        : Floats{};
    }
}

/// Columns that lie along the depth: squares of `lanes` columns, turned.
template <bool is_bfloat16>
REELYARD_INLINE void pack_turned(const PackPanel& call) {
    auto* panel = static_cast<float*>(call.panel);
    for (std::int64_t first = 0; first < panel_width; first += lanes) {
        for (std::int64_t d = 0; d < call.depth; d += lanes) {
            const std::int64_t deep = call.depth - d < lanes ? call.depth - d : lanes;
            Floats square[lanes];
            load_square<is_bfloat16>(call, first, d, square);
            transpose(square);
            for (std::int64_t i = 0; i < deep; ++i) {
                store(panel + (d + i) * panel_width + first, square[i]);
            }
        }
    }
}

/// Columns that lie next to each other.
template <bool is_bfloat16>
REELYARD_INLINE void pack_straight(const PackPanel& call) {
    auto* panel = static_cast<float*>(call.panel);
    for (std::int64_t d = 0; d < call.depth; ++d) {
        for (std::int64_t c = 0; c < panel_width; c += lanes) {
            const std::int64_t count = call.columns - c < lanes ? call.columns - c : lanes;
            store(panel + d * panel_width + c,
                  count > 0 ? load_any<is_bfloat16>(call.source, d * call.depth_stride + c, count)
                            : Floats{});
        }
    }
}

template <bool is_bfloat16>
REELYARD_INLINE void pack_panel_of(const PackPanel& call) {
    if (call.depth_stride == 1) {
        pack_turned<is_bfloat16>(call);
    } else {
        pack_straight<is_bfloat16>(call);
    }
}

inline void pack_panel(const PackPanel& call) {
    call.is_bfloat16 ? pack_panel_of<true>(call) : pack_panel_of<false>(call);
}

template <bool is_bfloat16>
REELYARD_INLINE void pack_rows_of(const PackRows& call) {
    for (std::int64_t r = 0; r < call.rows; ++r) {
        float* to = static_cast<float*>(call.packed) + r * call.packed_stride;
        std::int64_t d = 0;
        for (; d + lanes <= call.depth; d += lanes) {
            store(to + d, load_any<is_bfloat16>(call.source, r * call.row_stride + d, lanes));
        }
        for (; d < call.depth; ++d) {
            to[d] = element<is_bfloat16>(call.source, r * call.row_stride + d);
        }
    }
}

inline void pack_rows(const PackRows& call) {
    call.is_bfloat16 ? pack_rows_of<true>(call) : pack_rows_of<false>(call);
}

inline void nothing() {}

constexpr Products products_named(const char* name) {
    return {.name = name,
            .is_bfloat16 = false,
            .panel_width = panel_width,
            .depth_multiple = 1,
            .row_multiple = 1,
            .depth_block = 192,
            .row_block = 252,
            .pack_panel = pack_panel,
            .pack_rows = pack_rows,
            .multiply = multiply,
            .begin = nothing,
            .end = nothing};
}

}  // namespace
}  // namespace reelyard::nn::kernels
