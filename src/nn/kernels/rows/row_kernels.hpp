#pragma once

#include <cstdint>

/// The inner loops of the CPU's fused operations, on raw memory, one set per instruction set. What
/// implements them includes nothing but this file and <cstring>: code compiled for a newer
/// processor must not leak into the rest of the program through inline functions of other headers.
namespace reelyard::nn::kernels {

/// A run of numbers in one of the two compute types.
struct Numbers {
    void* data = nullptr;
    bool is_bfloat16 = false;  ///< otherwise float32
};

/// out = (x - mean) / sqrt(variance + eps) * scale + shift, mean and variance over the row.
struct LayerNormRow {
    const float* x;      ///< [D]
    const float* scale;  ///< [D]
    const float* shift;  ///< [D]
    Numbers out;         ///< [D]
    std::int64_t width;
    float eps;
};

/// In place: x / sqrt(mean of x^2 + eps) * weight over the row, then every head turned by the
/// row's angles.
struct RmsRotateRow {
    Numbers x;                 ///< [N, K]
    const float* weight;       ///< [N, K]
    const float* cosine;       ///< [K], each value twice; null: not turned
    const float* sine;         ///< [K], each value twice, the first negated
    const float* mean_square;  ///< of a row that x is only a part of; null: that of x
    std::int64_t heads;
    std::int64_t head_width;
    float eps;
};

/// What follows a matrix product, for one row: value = sums + bias, rounded to the compute type;
/// then GELU if asked for; then either written to `out` or added, times `gate`, to `stream`.
struct FinishRow {
    Numbers sums;  ///< [D]
    const float* bias = nullptr;
    bool gelu = false;
    Numbers out;              ///< [D]; unless stream is given
    float* stream = nullptr;  ///< [D]
    const float* gate = nullptr;
    std::int64_t width = 0;
    bool rounds_to_bfloat16 = false;
};

/// One row of attention weights, online: from logits and the state of the keys seen before.
struct SoftmaxRow {
    float* logits;           ///< [M], overwritten by the weights where they are float32
    void* weights_bfloat16;  ///< [M]; null: float32 weights in place
    const float* key_bias;   ///< [M]; null: none
    std::int64_t keys;
    float scale;
    float* maximum;  ///< of all logits so far
    float* total;    ///< sum of exp(logit - maximum) so far
};

struct RowKernels {
    const char* name;
    void (*layer_norm)(const LayerNormRow& row);
    void (*rms_rotate)(const RmsRotateRow& row);
    float (*sum_of_squares)(const Numbers& x, std::int64_t count);
    void (*finish)(const FinishRow& row);
    /// \returns the factor by which what was summed up so far must be multiplied
    float (*softmax)(const SoftmaxRow& row);
    /// x *= factor
    void (*multiply)(float* x, float factor, std::int64_t count);
    /// out = x * factor
    void (*convert)(const float* x, float factor, const Numbers& out, std::int64_t count);
};

/// The best set for this processor.
[[nodiscard]] const RowKernels& row_kernels();

[[nodiscard]] const RowKernels& row_kernels_baseline();
#if REELYARD_X86_KERNELS
[[nodiscard]] const RowKernels& row_kernels_avx2();
[[nodiscard]] const RowKernels& row_kernels_avx512();
#endif

}  // namespace reelyard::nn::kernels
