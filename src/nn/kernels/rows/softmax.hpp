#pragma once

#include "kernels/rows/row_kernels.hpp"
#include "kernels/rows/vector_functions.hpp"

// One row of an online softmax; included by one file per instruction set.
namespace reelyard::nn::kernels {
namespace {

inline constexpr float lowest = -3.0e38F;
inline constexpr float log2_e = 1.44269504088896341F;

/// The largest logit of the row, scaled. With a bias the logits are scaled and raised in place.
template <bool biased>
REELYARD_INLINE float largest_logit(const SoftmaxRow& row) {
    Floats largest = all(lowest);
    for_vectors(row.keys, [&](std::int64_t at, std::int64_t count) REELYARD_INLINED {
        if constexpr (biased) {
            const Floats x = load_any<false>(row.logits, at, count) * row.scale +
                             load_any<false>(row.key_bias, at, count);
            store_any<false>(row.logits, at, x, count);
            largest = larger(x, largest);
        } else if (count == lanes) {
            largest = larger(load(row.logits + at), largest);
        } else {
            for (std::int64_t i = 0; i < count; ++i) {
                largest = larger(all(row.logits[at + i]), largest);
            }
        }
    });
    return biased ? largest_of(largest) : largest_of(largest) * row.scale;
}

/// exp(logit * scale - maximum), stored as weights. \returns their sum
template <bool to_bfloat16>
REELYARD_INLINE float weigh(const SoftmaxRow& row, float scale, float maximum) {
    void* weights = to_bfloat16 ? row.weights_bfloat16 : row.logits;
    const float factor = scale * log2_e;
    const float offset = maximum * log2_e;
    Floats sum{};
    std::int64_t at = 0;
    for (; at + lanes <= row.keys; at += lanes) {
        const Floats e = power_of_two(load(row.logits + at) * factor - offset);
        store_weights<to_bfloat16>(weights, at, e);
        sum += e;
    }
    float total = sum_of(sum);
    if (at < row.keys) {
        const Floats e = power_of_two(load_part(row.logits + at, row.keys - at) * factor - offset);
        store_any<to_bfloat16>(weights, at, e, row.keys - at);
        for (std::int64_t i = 0; i < row.keys - at; ++i) {
            total += e[i];
        }
    }
    return total;
}

inline float softmax(const SoftmaxRow& row) {
    const bool biased = row.key_bias != nullptr;
    const float found = biased ? largest_logit<true>(row) : largest_logit<false>(row);
    const float maximum = found > *row.maximum ? found : *row.maximum;
    const float factor =
        maximum == *row.maximum ? 1.0F : power_of_two(all((*row.maximum - maximum) * log2_e))[0];
    const float scale = biased ? 1.0F : row.scale;
    const float sum = row.weights_bfloat16 != nullptr ? weigh<true>(row, scale, maximum)
                                                      : weigh<false>(row, scale, maximum);
    *row.total = *row.total * factor + sum;
    *row.maximum = maximum;
    return factor;
}

}  // namespace
}  // namespace reelyard::nn::kernels
