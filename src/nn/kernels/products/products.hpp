#pragma once

#include <cstdint>

/// Products of matrices on raw memory, cut small: C [rows, panel] (+)= A [rows, depth] B [depth,
/// panel]. B is brought into panels first; sums are float32 and go through the depth in order, so
/// they do not depend on how rows and columns are shared out. Like the row kernels, what implements
/// them includes nothing but this, vectors.hpp and the compiler's own headers.
namespace reelyard::nn::kernels {

/// Columns of B into a panel, zeros where there are fewer columns or less depth than the panel has.
struct PackPanel {
    const void* source;  ///< element (depth d, column c) at d * depth_stride + c * column_stride
    bool is_bfloat16;    ///< otherwise float32
    std::int64_t depth_stride;  ///< one of the two strides is 1
    std::int64_t column_stride;
    std::int64_t depth;
    std::int64_t columns;  ///< at most panel_width
    void* panel;
};

/// Rows of A next to each other, in the type of the products; zeros up to the multiples.
struct PackRows {
    const void* source;
    bool is_bfloat16;
    std::int64_t row_stride;
    std::int64_t rows;
    std::int64_t depth;
    void* packed;
    std::int64_t packed_stride;
};

struct Multiply {
    const void* a;
    std::int64_t a_stride;  ///< elements
    std::int64_t rows;      ///< a multiple of row_multiple
    const void* panel;
    std::int64_t depth;  ///< a multiple of depth_multiple
    float* c;
    std::int64_t c_stride;
    bool add;
};

struct Products {
    const char* name;
    bool is_bfloat16;  ///< type of A and B; otherwise float32
    std::int64_t panel_width;
    std::int64_t depth_multiple;
    std::int64_t row_multiple;
    std::int64_t depth_block;  ///< a panel of this depth stays in the first-level cache
    std::int64_t row_block;    ///< rows to go through at once; a multiple of those in registers
    void (*pack_panel)(const PackPanel& call);
    void (*pack_rows)(const PackRows& call);
    void (*multiply)(const Multiply& call);
    void (*begin)();  ///< on a thread, before its products
    void (*end)();    ///< after them
};

/// The best for inputs of a type on this processor.
[[nodiscard]] const Products& products_for(bool is_bfloat16);

[[nodiscard]] const Products& products_baseline();
#if REELYARD_X86_KERNELS
[[nodiscard]] const Products& products_avx2();
[[nodiscard]] const Products& products_avx512();
/// bfloat16 in the processor's matrix unit.
[[nodiscard]] const Products& products_amx();
#endif

}  // namespace reelyard::nn::kernels
