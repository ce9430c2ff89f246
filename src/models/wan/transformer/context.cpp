#include "wan/transformer/context.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

namespace reelyard::models::wan {
namespace {

/// Number of rows of every sample up to the last that is not all zeros.
std::vector<std::int64_t> lengths_of(const at::Tensor& context) {
    const at::Tensor used = context.ne(0).any(-1).to(at::kLong).cpu();
    const at::Tensor numbers = at::arange(1, context.size(1) + 1, at::kLong);
    const at::Tensor last = std::get<0>((used * numbers).max(1));
    return {last.const_data_ptr<std::int64_t>(),
            last.const_data_ptr<std::int64_t>() + last.numel()};
}

}  // namespace

FoldedContext fold_padding(const at::Tensor& context, std::int64_t total) {
    REELYARD_EXPECT(context.dim() == 3 && total >= context.size(1));
    const std::vector<std::int64_t> lengths = lengths_of(context);
    const auto [shortest, longest] = std::minmax_element(lengths.begin(), lengths.end());
    if (*shortest == total) {
        return {.rows = context, .key_bias = {}};
    }
    const std::int64_t rows = std::min(*longest + 1, total);
    const std::int64_t kept = std::min(rows, context.size(1));
    const at::Tensor folded =
        at::constant_pad_nd(context.narrow(1, 0, kept), {0, 0, 0, rows - kept});
    at::Tensor bias = at::full({context.size(0), rows}, -std::numeric_limits<float>::infinity());
    for (std::size_t b = 0; b < lengths.size(); ++b) {
        at::Tensor row = bias[static_cast<std::int64_t>(b)];
        row.narrow(0, 0, lengths[b]).zero_();
        if (lengths[b] < total) {
            row[lengths[b]].fill_(std::log(static_cast<double>(total - lengths[b])));
        }
    }
    return {.rows = folded.contiguous(), .key_bias = bias.to(context.device())};
}

}  // namespace reelyard::models::wan
