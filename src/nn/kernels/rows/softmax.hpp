#pragma once

#include "kernels/rows/row_kernels.hpp"
#include "kernels/rows/vectors.hpp"

// One row of an online softmax; included by one file per instruction set.
namespace reelyard::nn::kernels {
namespace {

constexpr float lowest = -3.0e38F;

/// Scales the logits, adds the bias and finds the largest.
REELYARD_INLINE float scale_logits(const SoftmaxRow& row) {
    Floats largest = all(lowest);
    std::int64_t at = 0;
    for (; at + lanes <= row.keys; at += lanes) {
        Floats x = load(row.logits + at) * row.scale;
        if (row.key_bias != nullptr) {
            x += load(row.key_bias + at);
        }
        store(row.logits + at, x);
        largest = larger(x, largest);
    }
    float result = largest_of(largest);
    for (; at < row.keys; ++at) {
        float x = row.logits[at] * row.scale;
        x += row.key_bias != nullptr ? row.key_bias[at] : 0.0F;
        row.logits[at] = x;
        result = x > result ? x : result;
    }
    return result;
}

/// exp(logit - maximum), stored as weights. \returns their sum
template <bool to_bfloat16>
REELYARD_INLINE float weigh(const SoftmaxRow& row, float maximum) {
    void* weights = to_bfloat16 ? row.weights_bfloat16 : row.logits;
    Floats sum{};
    std::int64_t at = 0;
    for (; at + lanes <= row.keys; at += lanes) {
        const Floats e = exponential(load(row.logits + at) - maximum);
        store_any<to_bfloat16>(weights, at, e, lanes);
        sum += e;
    }
    float total = sum_of(sum);
    if (at < row.keys) {
        const Floats e = exponential(load_part(row.logits + at, row.keys - at) - maximum);
        store_any<to_bfloat16>(weights, at, e, row.keys - at);
        for (std::int64_t i = 0; i < row.keys - at; ++i) {
            total += e[i];
        }
    }
    return total;
}

float softmax(const SoftmaxRow& row) {
    const float found = scale_logits(row);
    const float maximum = found > *row.maximum ? found : *row.maximum;
    const float factor = exponential(all(*row.maximum - maximum))[0];
    const float sum =
        row.weights_bfloat16 != nullptr ? weigh<true>(row, maximum) : weigh<false>(row, maximum);
    *row.total = *row.total * factor + sum;
    *row.maximum = maximum;
    return factor;
}

}  // namespace
}  // namespace reelyard::nn::kernels
