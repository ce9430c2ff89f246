#include "wan/text/text_encoder.hpp"

#include <cmath>
#include <functional>
#include <limits>

#include <ATen/ATen.h>

#include "reelyard/base/error.hpp"

namespace reelyard::models::wan {
namespace {

/// 0 where a key may be attended to, the lowest number of the type elsewhere: [B, 1, 1, L].
at::Tensor mask_bias(const at::Tensor& attention_mask, at::ScalarType type) {
    const double lowest = type == at::kBFloat16
                              ? static_cast<double>(std::numeric_limits<at::BFloat16>::lowest())
                              : static_cast<double>(std::numeric_limits<float>::lowest());
    const at::Tensor hidden = attention_mask.eq(0).unsqueeze(1).unsqueeze(1);
    return at::zeros(hidden.sizes(), hidden.options().dtype(type)).masked_fill(hidden, lowest);
}

}  // namespace

at::Tensor position_buckets(std::int64_t length, std::int64_t buckets, std::int64_t max_distance) {
    const std::int64_t half = buckets / 2;
    const std::int64_t exact = half / 2;
    const at::Tensor positions = at::arange(length, at::kLong);
    const at::Tensor relative = positions.unsqueeze(0) - positions.unsqueeze(1);
    const at::Tensor distance = relative.abs();
    // In float32, as in the reference: it decides on which side of a border a distance falls.
    const double range = std::log(static_cast<double>(max_distance) / static_cast<double>(exact));
    const at::Tensor steps =
        (distance.to(at::kFloat) / exact).log() / range * static_cast<double>(half - exact);
    const at::Tensor far = (steps.clamp_min(0).to(at::kLong) + exact).clamp_max(half - 1);
    const at::Tensor within = at::where(distance < exact, distance, far);
    return within + relative.gt(0).to(at::kLong) * half;
}

TextEncoder::TextEncoder(const TextEncoderConfig& config,
                         const store::WeightSet& weights,
                         const parallel::VideoGroup& group,
                         const std::vector<store::BlockShard>& shards)
    : config_(config)
    , group_(group)
    , embedding_(weights.get("shared.weight"))
    , weights_({.component = "text_encoder",
                .prefix = "encoder.block.",
                .count = static_cast<std::size_t>(config.layers)},
               weights,
               shards,
               *group.shards)
    , final_norm_(weights.get("encoder.final_layer_norm.weight")) {
    if (weights_.are_resident()) {
        resident_.reserve(weights_.count());
        for (std::size_t i = 0; i < weights_.count(); ++i) {
            resident_.push_back(block(i));
        }
    }
}

TextEncoderBlock TextEncoder::block(std::size_t index) const {
    return {config_, weights_.take(index), group_};
}

/// Each rank of a tensor parallel group has the rows of a part of the vocabulary; where a row is
/// not its own it adds zero. \returns [B, L, D] float32
at::Tensor TextEncoder::embed(const at::Tensor& ids) const {
    if (group_.tensor->size() == 1) {
        return at::embedding(embedding_, ids).to(at::kFloat);
    }
    const Interval own = shard_of(config_.vocabulary, 1, group_.weights());
    const at::Tensor is_elsewhere = ids.lt(own.begin).logical_or(ids.ge(own.end));
    const at::Tensor rows =
        at::embedding(embedding_, (ids - own.begin).masked_fill(is_elsewhere, 0))
            .masked_fill(is_elsewhere.unsqueeze(-1), 0);
    group_.tensor->all_reduce(rows);
    return rows.to(at::kFloat);
}

at::Tensor TextEncoder::encode(const at::Tensor& input_ids,
                               const at::Tensor& attention_mask) const {
    const auto [lowest, highest] = at::aminmax(input_ids);
    require(lowest.item<std::int64_t>() >= 0 && highest.item<std::int64_t>() < config_.vocabulary,
            ErrorKind::input,
            "input_ids: {} .. {} (expected 0 .. {}, the text encoder's vocabulary)",
            lowest.item<std::int64_t>(),
            highest.item<std::int64_t>(),
            config_.vocabulary - 1);
    const at::Device device = embedding_.device();
    const at::Tensor mask = mask_bias(attention_mask.to(device), embedding_.scalar_type());
    const at::Tensor buckets =
        position_buckets(input_ids.size(1), config_.buckets, config_.max_distance).to(device);
    const std::function<void()> progress = [this] {
        weights_.progress();
    };
    at::Tensor stream = embed(input_ids.to(device));
    for (std::size_t i = 0; i < weights_.count(); ++i) {
        const TextBlockInputs inputs{.buckets = buckets, .mask = mask, .progress = progress};
        if (resident_.empty()) {
            block(i).apply(stream, inputs);
        } else {
            resident_[i].apply(stream, inputs);
        }
    }
    return text_norm(stream, final_norm_, config_.eps);
}

}  // namespace reelyard::models::wan
