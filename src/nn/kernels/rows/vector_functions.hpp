#pragma once

#include "kernels/rows/vectors.hpp"

// Functions of vectors; included by one file per instruction set.
namespace reelyard::nn::kernels {
namespace {

/// 2^t, t brought into [-126, 126]; what is not a number stays so. Within half a unit around an
/// integer by the polynomial of Cephes' exp2f.
REELYARD_INLINE Floats power_of_two(Floats t) {
    constexpr float magic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
    const Floats raised = all(-126.0F) > t ? all(-126.0F) : t;
    const Floats clamped = all(126.0F) < raised ? all(126.0F) : raised;
    const Floats shifted = clamped + magic;
    const Floats r = clamped - (shifted - magic);
    Floats p = all(1.535336188319500e-4F);
    p = p * r + 1.339887440266574e-3F;
    p = p * r + 9.618437357674640e-3F;
    p = p * r + 5.550332471162809e-2F;
    p = p * r + 2.402264791363012e-1F;
    p = p * r + 6.931472028550421e-1F;
    p = p * r + 1.0F;
    const Ints exponent = reinterpret_cast<Ints>(shifted) << 23;
    return reinterpret_cast<Floats>(reinterpret_cast<Ints>(p) + exponent);
}

/// 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) = x / (1 + exp(-2 sqrt(2/pi) (...))).
REELYARD_INLINE Floats gelu_tanh(Floats x) {
    constexpr float factor = -1.5957691216057308F * 1.44269504088896341F;
    return x / (power_of_two((x + x * x * x * 0.044715F) * factor) + 1.0F);
}

/// A vector of weights; as bfloat16 rounded without regard to what is not a number, whose upper
/// half says so already.
template <bool to_bfloat16>
REELYARD_INLINE void store_weights(void* weights, std::int64_t at, Floats values) {
    if constexpr (to_bfloat16) {
        const Words bits = reinterpret_cast<Words>(values);
        const Words rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
        const Halves halves = __builtin_convertvector(rounded, Halves);
        std::memcpy(static_cast<std::uint16_t*>(weights) + at, &halves, sizeof(halves));
    } else {
        store(static_cast<float*>(weights) + at, values);
    }
}

/// One step of transpose(): within blocks of twice `half`, the upper right and the lower left
/// quarter change places.
template <std::int32_t half>
REELYARD_INLINE void exchange_quarters(Floats (&rows)[lanes]) {
    constexpr auto width = static_cast<std::int32_t>(lanes);
    constexpr auto upper = [](std::int32_t i) {
        return (i & half) != 0 ? width + i - half : i;
    };
    constexpr auto lower = [](std::int32_t i) {
        return (i & half) != 0 ? width + i : i + half;
    };
#pragma GCC unroll 16
    for (std::int32_t i = 0; i < lanes; ++i) {
        if ((i & half) == 0) {
            const Floats a = rows[i];
            const Floats b = rows[i + half];
            rows[i] = pick(a, b, upper, every_lane);
            rows[i + half] = pick(a, b, lower, every_lane);
        }
    }
    if constexpr (half > 1) {
        exchange_quarters<half / 2>(rows);
    }
}

/// Turns a square around its diagonal.
REELYARD_INLINE void transpose(Floats (&rows)[lanes]) {
    exchange_quarters<lanes / 2>(rows);
}

}  // namespace
}  // namespace reelyard::nn::kernels
