#include "load/load_plan.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/spec/tensor_spec.hpp"

namespace reelyard::store {
namespace {

constexpr std::int64_t page = 4 * kibibyte;

std::map<std::string_view, const TensorSpec*> wanted_tensors(const ComponentSpec& spec,
                                                             const LoadOptions& options) {
    std::map<std::string_view, const TensorSpec*> wanted;
    for (const TensorSpec& tensor : spec.tensors) {
        if (!options.wanted || options.wanted(tensor.name)) {
            wanted.emplace(tensor.name, &tensor);
        }
    }
    return wanted;
}

/// Adds a tensor to the last range, or starts a new one when it does not follow it.
std::int64_t place(LoadPlan& plan, const StoredTensor& tensor, bool follows) {
    if (plan.ranges.empty() || !follows) {
        const std::int64_t begin = align_up(plan.buffer_bytes, page) + tensor.offset % page;
        plan.ranges.push_back({.slab_begin = tensor.offset, .buffer_begin = begin});
    }
    SlabRange& range = plan.ranges.back();
    const std::int64_t at = range.buffer_begin + tensor.offset - range.slab_begin;
    range.bytes = tensor.offset + tensor.bytes - range.slab_begin;
    plan.buffer_bytes = range.buffer_begin + range.bytes;
    return at;
}

}  // namespace

LoadPlan plan_load(const StoredComponent& stored,
                   const ComponentSpec& spec,
                   const LoadOptions& options) {
    auto wanted = wanted_tensors(spec, options);
    LoadPlan plan;
    bool follows = false;
    for (const StoredTensor& tensor : stored.tensors) {
        const auto found = wanted.find(tensor.name);
        if (found == wanted.end()) {
            follows = false;
            continue;
        }
        require(tensor.shape == found->second->shape,
                ErrorKind::input,
                "component '{}': tensor '{}' has shape {} in the store (expected {}); import the "
                "checkpoint again",
                spec.name,
                tensor.name,
                to_string(tensor.shape),
                to_string(found->second->shape));
        const std::int64_t offset = place(plan, tensor, follows);
        plan.tensors.push_back(
            {.tensor = &tensor, .precision = found->second->precision, .buffer_offset = offset});
        plan.used_bytes += tensor.bytes;
        wanted.erase(found);
        follows = true;
    }
    require(wanted.empty(),
            ErrorKind::input,
            "component '{}': tensor '{}' and {} others are not in the store; import the checkpoint "
            "again",
            spec.name,
            wanted.empty() ? "" : wanted.begin()->first,
            wanted.size() - 1);
    return plan;
}

std::vector<std::int64_t> cut_buffer(const LoadPlan& plan, int ranks) {
    const std::int64_t pages = align_up(plan.buffer_bytes, page) / page;
    std::vector<std::int64_t> cuts;
    for (std::int64_t rank = 0; rank <= ranks; ++rank) {
        const std::int64_t first = pages / ranks * rank + std::min(rank, pages % ranks);
        cuts.push_back(std::min(first * page, plan.buffer_bytes));
    }
    return cuts;
}

std::vector<SlabRange> ranges_within(const LoadPlan& plan, std::int64_t begin, std::int64_t end) {
    std::vector<SlabRange> parts;
    for (const SlabRange& range : plan.ranges) {
        const std::int64_t first = std::max(begin, range.buffer_begin);
        const std::int64_t last = std::min(end, range.buffer_begin + range.bytes);
        if (first < last) {
            parts.push_back({.slab_begin = range.slab_begin + first - range.buffer_begin,
                             .buffer_begin = first,
                             .bytes = last - first});
        }
    }
    return parts;
}

}  // namespace reelyard::store
