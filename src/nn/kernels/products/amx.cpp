#define REELYARD_VECTOR_BYTES 64
#include <immintrin.h>

#include "kernels/products/products.hpp"
#include "kernels/rows/vector_functions.hpp"

namespace reelyard::nn::kernels {
namespace {

// A tile is 16 rows of 64 bytes: 16 x 32 of A, 16 x 16 sums, or 32 x 16 of B with the two of a pair
// along the depth side by side. A panel is two tiles wide; in it tile follows tile.
constexpr std::int64_t tile_rows = 16;
constexpr std::int64_t tile_depth = 32;
constexpr std::int64_t tile_columns = 16;
constexpr std::int64_t tile_elements = tile_depth * tile_columns;
constexpr std::int64_t panel_width = 2 * tile_columns;

struct alignas(64) TileConfig {
    std::uint8_t palette = 1;
    std::uint8_t start_row = 0;
    std::uint8_t reserved[14] = {};
    std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};

// Not on the stack: the compiler believes that loading it reads its first bytes only.
constexpr TileConfig tile_config;

void begin() {
    _tile_loadconfig(&tile_config);
}

void end() {
    _tile_release();
}

/// 32 rows of C: tiles 0 to 3 are the sums, 4 and 5 A, 6 and 7 B.
void multiply_tiles(const Multiply& call, const std::uint16_t* a, float* c) {
    const auto* b = static_cast<const std::uint16_t*>(call.panel);
    const auto a_bytes = static_cast<std::size_t>(call.a_stride * 2);
    const auto c_bytes = static_cast<std::size_t>(call.c_stride * 4);
    float* lower_c = c + tile_rows * call.c_stride;
    const std::uint16_t* lower_a = a + tile_rows * call.a_stride;
    if (call.add) {
        _tile_loadd(0, c, c_bytes);
        _tile_loadd(1, c + tile_columns, c_bytes);
        _tile_loadd(2, lower_c, c_bytes);
        _tile_loadd(3, lower_c + tile_columns, c_bytes);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (std::int64_t d = 0; d < call.depth; d += tile_depth) {
        _tile_loadd(6, b, 64);
        _tile_loadd(4, a + d, a_bytes);
        _tile_dpbf16ps(0, 4, 6);
        _tile_loadd(7, b + tile_elements, 64);
        _tile_dpbf16ps(1, 4, 7);
        _tile_loadd(5, lower_a + d, a_bytes);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
        b += 2 * tile_elements;
    }
    _tile_stored(0, c, c_bytes);
    _tile_stored(1, c + tile_columns, c_bytes);
    _tile_stored(2, lower_c, c_bytes);
    _tile_stored(3, lower_c + tile_columns, c_bytes);
}

void multiply(const Multiply& call) {
    const auto* a = static_cast<const std::uint16_t*>(call.a);
    for (std::int64_t row = 0; row < call.rows; row += 2 * tile_rows) {
        multiply_tiles(call, a + row * call.a_stride, call.c + row * call.c_stride);
    }
}

std::int64_t smaller(std::int64_t a, std::int64_t b) {
    return a < b ? a : b;
}

/// One tile from columns that lie along the depth, so that pairs are neighbours already.
void pack_turned_tile(const PackPanel& call, std::int64_t depth, std::int64_t column, void* tile) {
    const auto* source = static_cast<const std::uint16_t*>(call.source);
    const std::int64_t deep = smaller(call.depth - depth, tile_depth);
    const std::int64_t columns = smaller(call.columns - column, tile_columns);
    const std::uint16_t* first = source + column * call.column_stride + depth;
    Floats square[16] = {};
    if (deep == tile_depth && columns == tile_columns) {
#pragma GCC unroll 16
        for (std::int64_t c = 0; c < tile_columns; ++c) {
            std::memcpy(&square[c], first + c * call.column_stride, sizeof(Floats));
        }
    } else {
        for (std::int64_t c = 0; c < columns; ++c) {
            std::memcpy(
                &square[c], first + c * call.column_stride, static_cast<std::size_t>(deep) * 2);
        }
    }
    transpose(square);
    std::memcpy(tile, square, sizeof(square));
}

/// One tile from rows that lie along the columns: two rows are woven into one of pairs.
void pack_woven_tile(const PackPanel& call, std::int64_t depth, std::int64_t column, void* tile) {
    const auto* source = static_cast<const std::uint16_t*>(call.source);
    const std::int64_t columns = smaller(call.columns - column, tile_columns);
    auto* to = static_cast<std::uint32_t*>(tile);
    for (std::int64_t pair = 0; pair < tile_depth / 2; ++pair) {
        const std::int64_t d = depth + 2 * pair;
        Words woven{};
        if (d < call.depth) {
            woven = __builtin_convertvector(
                load_halves(source + d * call.depth_stride + column, columns), Words);
        }
        if (d + 1 < call.depth) {
            woven |= __builtin_convertvector(
                         load_halves(source + (d + 1) * call.depth_stride + column, columns), Words)
                     << 16;
        }
        std::memcpy(to + pair * tile_columns, &woven, sizeof(woven));
    }
}

void pack_panel(const PackPanel& call) {
    auto* panel = static_cast<std::uint16_t*>(call.panel);
    for (std::int64_t depth = 0; depth < call.depth; depth += tile_depth) {
        for (std::int64_t column = 0; column < panel_width; column += tile_columns) {
            if (call.columns <= column) {
                std::memset(panel, 0, tile_elements * 2);
            } else if (call.depth_stride == 1) {
                pack_turned_tile(call, depth, column, panel);
            } else {
                pack_woven_tile(call, depth, column, panel);
            }
            panel += tile_elements;
        }
    }
}

void pack_rows(const PackRows& call) {
    const auto* source = static_cast<const std::uint16_t*>(call.source);
    auto* packed = static_cast<std::uint16_t*>(call.packed);
    const std::int64_t depth = (call.depth + tile_depth - 1) / tile_depth * tile_depth;
    const std::int64_t rows = (call.rows + 2 * tile_rows - 1) / (2 * tile_rows) * 2 * tile_rows;
    for (std::int64_t r = 0; r < rows; ++r) {
        const std::int64_t filled = r < call.rows ? call.depth : 0;
        std::uint16_t* to = packed + r * call.packed_stride;
        if (filled > 0) {
            std::memcpy(to, source + r * call.row_stride, static_cast<std::size_t>(filled) * 2);
        }
        std::memset(to + filled, 0, static_cast<std::size_t>(depth - filled) * 2);
    }
}

}  // namespace

const Products& products_amx() {
    static constexpr Products products{.name = "amx",
                                       .is_bfloat16 = true,
                                       .panel_width = panel_width,
                                       .depth_multiple = tile_depth,
                                       .row_multiple = 2 * tile_rows,
                                       .depth_block = 512,
                                       .row_block = 256,
                                       .pack_panel = pack_panel,
                                       .pack_rows = pack_rows,
                                       .multiply = multiply,
                                       .begin = begin,
                                       .end = end};
    return products;
}

}  // namespace reelyard::nn::kernels
