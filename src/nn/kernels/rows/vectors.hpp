#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

// Vectors of REELYARD_VECTOR_BYTES bytes in the compiler's own notation. Included once by each file
// that is compiled for one instruction set; everything is in an unnamed namespace on purpose.
namespace reelyard::nn::kernels {
namespace {

inline constexpr std::int64_t lanes = REELYARD_VECTOR_BYTES / 4;

using Floats = float __attribute__((vector_size(REELYARD_VECTOR_BYTES)));
using Ints = std::int32_t __attribute__((vector_size(REELYARD_VECTOR_BYTES)));
using Words = std::uint32_t __attribute__((vector_size(REELYARD_VECTOR_BYTES)));
using Halves = std::uint16_t __attribute__((vector_size(REELYARD_VECTOR_BYTES / 2)));

#define REELYARD_INLINED __attribute__((always_inline))
#define REELYARD_INLINE inline REELYARD_INLINED

REELYARD_INLINE Floats all(float value) {
    return Floats{} + value;
}

REELYARD_INLINE Floats load(const float* from) {
    Floats values;
    std::memcpy(&values, from, sizeof(values));
    return values;
}

REELYARD_INLINE void store(float* to, Floats values) {
    std::memcpy(to, &values, sizeof(values));
}

/// The first `count` values; zeros behind them.
REELYARD_INLINE Floats load_part(const float* from, std::int64_t count) {
    float buffer[lanes] = {};
    std::memcpy(buffer, from, static_cast<std::size_t>(count) * sizeof(float));
    return load(buffer);
}

REELYARD_INLINE void store_part(float* to, Floats values, std::int64_t count) {
    std::memcpy(to, &values, static_cast<std::size_t>(count) * sizeof(float));
}

REELYARD_INLINE Floats widen(Halves halves) {
    const Words words = __builtin_convertvector(halves, Words) << 16;
    return reinterpret_cast<Floats>(words);
}

/// To the nearest bfloat16, ties to even; what is not a number stays so.
REELYARD_INLINE Halves narrow(Floats values) {
    const Words bits = reinterpret_cast<Words>(values);
    const Words rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
    const Words quiet_nan = Words{} + 0x7fc0U;
    return __builtin_convertvector(values == values ? rounded : quiet_nan, Halves);
}

REELYARD_INLINE Floats round_to_bfloat16(Floats values) {
    return widen(narrow(values));
}

REELYARD_INLINE Halves load_halves(const void* from, std::int64_t count) {
    Halves halves{};
    std::memcpy(&halves, from, static_cast<std::size_t>(count) * 2);
    return halves;
}

/// Values `at`..`at` + count of a run in either type; zeros behind them.
template <bool is_bfloat16>
REELYARD_INLINE Floats load_any(const void* data, std::int64_t at, std::int64_t count) {
    if constexpr (is_bfloat16) {
        const auto* from = static_cast<const std::uint16_t*>(data) + at;
        return widen(count == lanes ? load_halves(from, lanes) : load_halves(from, count));
    } else {
        const auto* from = static_cast<const float*>(data) + at;
        return count == lanes ? load(from) : load_part(from, count);
    }
}

template <bool is_bfloat16>
REELYARD_INLINE void store_any(void* data, std::int64_t at, Floats values, std::int64_t count) {
    if constexpr (is_bfloat16) {
        const Halves halves = narrow(values);
        auto* to = static_cast<std::uint16_t*>(data) + at;
        if (count == lanes) {
            std::memcpy(to, &halves, sizeof(halves));
        } else {
            std::memcpy(to, &halves, static_cast<std::size_t>(count) * 2);
        }
    } else {
        auto* to = static_cast<float*>(data) + at;
        if (count == lanes) {
            store(to, values);
        } else {
            store_part(to, values, count);
        }
    }
}

REELYARD_INLINE Floats larger(Floats a, Floats b) {
    return a > b ? a : b;
}

/// The lanes index(0), index(1), ... of `a` followed by `b`; `index` is a lambda without captures.
template <typename Index, std::int32_t... i>
REELYARD_INLINE Floats
pick(Floats a, Floats b, Index /*index*/, std::integer_sequence<std::int32_t, i...> /*lanes*/) {
    return __builtin_shufflevector(a, b, Index{}(i)...);
}

inline constexpr auto every_lane =
    std::make_integer_sequence<std::int32_t, static_cast<std::int32_t>(lanes)>{};

/// Lane i holds what lane i + half held.
template <std::int32_t half>
REELYARD_INLINE Floats upper_half(Floats values) {
    constexpr auto index = [](std::int32_t i) {
        return (i + half) % static_cast<std::int32_t>(lanes);
    };
    return pick(values, values, index, every_lane);
}

/// Sum of all lanes, halving.
template <std::int32_t half = lanes / 2>
REELYARD_INLINE float sum_of(Floats values) {
    if constexpr (half == 0) {
        return values[0];
    } else {
        return sum_of<half / 2>(values + upper_half<half>(values));
    }
}

template <std::int32_t half = lanes / 2>
REELYARD_INLINE float largest_of(Floats values) {
    if constexpr (half == 0) {
        return values[0];
    } else {
        return largest_of<half / 2>(larger(values, upper_half<half>(values)));
    }
}

/// Calls body(at, count) for every vector of a run; `count` is `lanes` but for the last.
template <typename Body>
REELYARD_INLINE void for_vectors(std::int64_t width, const Body& body) {
    std::int64_t at = 0;
    for (; at + lanes <= width; at += lanes) {
        body(at, lanes);
    }
    if (at < width) {
        body(at, width - at);
    }
}

/// exp(x) to 2 units in the last place for x in [-87, 88]; smaller x give about 0, larger ones a
/// huge number; what is not a number stays so. Range reduction by ln 2 in two parts, then the
/// polynomial of Cephes' expf.
REELYARD_INLINE Floats exponential(Floats x) {
    const Floats clamped = x < all(-87.3F) ? all(-87.3F) : (x > all(88.3F) ? all(88.3F) : x);
    constexpr float magic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
    const Floats shifted = clamped * 1.44269504088896341F + magic;
    const Floats n = shifted - magic;
    const Floats r = clamped - n * 0.693359375F + n * 2.12194440e-4F;
    Floats p = all(1.9875691500e-4F);
    p = p * r + 1.3981999507e-3F;
    p = p * r + 8.3334519073e-3F;
    p = p * r + 4.1665795894e-2F;
    p = p * r + 1.6666665459e-1F;
    p = p * r + 5.0000001201e-1F;
    p = p * (r * r) + r + 1.0F;
    const Ints exponent = reinterpret_cast<Ints>(shifted) << 23;
    return reinterpret_cast<Floats>(reinterpret_cast<Ints>(p) + exponent);
}

}  // namespace
}  // namespace reelyard::nn::kernels
