#include "load/load_plan.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/error.hpp"

#include "memory/page.hpp"
#include "scalar_type.hpp"

namespace reelyard::store {
namespace {

using WantedTensors = std::map<std::string_view, const TensorSpec*>;

WantedTensors wanted_tensors(const ComponentSpec& spec, const LoadOptions& options) {
    WantedTensors wanted;
    for (const TensorSpec& tensor : spec.tensors) {
        if (!options.wanted || options.wanted(tensor.name)) {
            wanted.emplace(tensor.name, &tensor);
        }
    }
    return wanted;
}

/// What a rank holds of a tensor: a run of its stored bytes.
struct Slice {
    std::vector<std::int64_t> shape;
    std::int64_t from;
    std::int64_t bytes;
};

/// The slice of one shard. Split along its outermost axis on disk it is one run of bytes.
Slice slice_of(const StoredTensor& tensor, const TensorSpec& spec, Shard shard) {
    if (spec.split == Split::none || shard.degree == 1) {
        return {.shape = tensor.shape, .from = 0, .bytes = tensor.bytes};
    }
    const std::size_t axis = spec.split == Split::rows ? 0 : 1;
    require(tensor.transposed == (axis == 1),
            ErrorKind::input,
            "tensor '{}' is stored {} (expected the opposite, to be read in slices); import the "
            "checkpoint again",
            tensor.name,
            tensor.transposed ? "transposed" : "as it is");
    const std::int64_t length = tensor.shape[axis];
    const Interval held = shard_of(length, spec.split_unit, shard);
    const std::int64_t stride = length == 0 ? 0 : tensor.bytes / length;
    Slice slice{.shape = tensor.shape,
                .from = held.begin * stride,
                .bytes = (held.end - held.begin) * stride};
    slice.shape[axis] = held.end - held.begin;
    return slice;
}

DType final_type(const TensorSpec& spec, const LoadOptions& options) {
    return spec.precision == Precision::keep_float32 ? DType::float32 : options.compute;
}

/// Whether nothing but padding lies between two parts on disk.
bool is_next_on_disk(const Part& part, const Part& last) {
    const bool is_next_tensor = part.tensor == last.tensor + 1 && part.from == 0 &&
                                last.from + last.bytes == last.tensor->bytes;
    const bool is_next_slice = part.tensor == last.tensor && part.from == last.from + last.bytes;
    return is_next_tensor || is_next_slice;
}

/// Puts a part behind the others. \returns where it lies in memory
std::int64_t append(Segment& segment, Part part) {
    const Part* last = segment.parts.empty() ? nullptr : &segment.parts.back();
    part.follows = last != nullptr && !last->is_converted() && !part.is_converted() &&
                   is_next_on_disk(part, *last);
    if (part.follows) {
        part.target = last->target + part.slab_begin() - last->slab_begin();
    } else if (part.is_converted()) {
        part.target = align_up(segment.bytes, tensor_alignment);
    } else {
        part.target = align_up(segment.bytes, page) + part.slab_begin() % page;
    }
    segment.bytes = part.target + part.target_bytes();
    if (part.bytes > 0) {
        segment.parts.push_back(part);
    }
    return part.target;
}

/// One block's tensors as a segment of their own, before it is cut.
struct BlockImage {
    Segment segment;
    std::vector<BlockTensor> tensors;
};

/// Cuts a block into one part per shard and puts this rank's part into its segment.
BlockPlace keep_own_part(int block, BlockImage image, Shard shard, Segment& own) {
    BlockPlace place{.block = block, .tensors = std::move(image.tensors)};
    const std::int64_t pages = align_up(image.segment.bytes, page) / page;
    for (int i = 0; i < shard.degree; ++i) {
        place.cuts.push_back(
            std::min(shard_of(pages, 1, {shard.degree, i}).begin * page, image.segment.bytes));
    }
    place.cuts.push_back(image.segment.bytes);

    const std::int64_t begin = place.cuts[static_cast<std::size_t>(shard.index)];
    const std::int64_t end = place.cuts[static_cast<std::size_t>(shard.index) + 1];
    place.offset = align_up(own.bytes, page);
    for (Part part : parts_within(image.segment, begin, end)) {
        part.target += place.offset - begin;
        own.parts.push_back(part);
    }
    own.bytes = place.offset + end - begin;
    return place;
}

class Planner {
public:
    explicit Planner(const LoadOptions& options) : options_(options) {}

    void add(const StoredTensor& tensor, const TensorSpec& spec) {
        const bool is_sliced = spec.split != Split::none && options_.tensor_parallel.degree > 1;
        Slice slice = slice_of(tensor, spec, options_.tensor_parallel);
        const Part part{.tensor = &tensor,
                        .to = final_type(spec, options_),
                        .from = slice.from,
                        .bytes = slice.bytes};
        if (const auto block = dealt_block_of(spec, is_sliced)) {
            BlockImage& image = images_[*block];
            const std::int64_t offset = append(image.segment, part);
            image.tensors.push_back({.name = tensor.name,
                                     .dtype = to_scalar_type(part.to),
                                     .shape = std::move(slice.shape),
                                     .transposed = tensor.transposed,
                                     .offset = offset});
            return;
        }
        const std::int64_t offset = append(is_sliced ? plan_.own_shard : plan_.common, part);
        plan_.tensors.push_back({.tensor = &tensor,
                                 .dtype = part.to,
                                 .shape = std::move(slice.shape),
                                 .holder = is_sliced ? Holder::own_shard : Holder::all,
                                 .offset = offset});
    }

    [[nodiscard]] LoadPlan take() {
        for (auto& [block, image] : images_) {
            plan_.blocks.push_back(
                keep_own_part(block, std::move(image), options_.weight_shard, plan_.own_shard));
        }
        return std::move(plan_);
    }

private:
    /// The block whose bytes are dealt out, if the tensor is in one. What the ranks of a tensor
    /// parallel group all hold is small and stays whole, else each of them would read it.
    [[nodiscard]] std::optional<int> dealt_block_of(const TensorSpec& spec, bool is_sliced) const {
        const bool is_held_by_all = options_.tensor_parallel.degree > 1 && !is_sliced;
        return options_.weight_shard.degree == 1 || is_held_by_all ? std::nullopt : spec.block;
    }

    const LoadOptions& options_;
    LoadPlan plan_;
    std::map<int, BlockImage> images_;
};

}  // namespace

std::int64_t Segment::stored_bytes() const {
    std::int64_t sum = 0;
    for (const Part& part : parts) {
        sum += part.bytes;
    }
    return sum;
}

LoadPlan plan_load(const StoredComponent& stored,
                   const ComponentSpec& spec,
                   const LoadOptions& options) {
    auto wanted = wanted_tensors(spec, options);
    Planner planner(options);
    for (const StoredTensor& tensor : stored.tensors) {
        const auto found = wanted.find(tensor.name);
        if (found == wanted.end()) {
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
        planner.add(tensor, *found->second);
        wanted.erase(found);
    }
    require(wanted.empty(),
            ErrorKind::input,
            "component '{}': tensor '{}' and {} others are not in the store; import the checkpoint "
            "again",
            spec.name,
            wanted.empty() ? "" : wanted.begin()->first,
            wanted.size() - 1);
    return planner.take();
}

std::vector<Part> parts_within(const Segment& segment, std::int64_t begin, std::int64_t end) {
    std::vector<Part> parts;
    const auto ends_before = [](const Part& part, std::int64_t at) {
        return part.target + part.target_bytes() <= at;
    };
    auto it = std::lower_bound(segment.parts.begin(), segment.parts.end(), begin, ends_before);
    for (; it != segment.parts.end() && it->target < end; ++it) {
        const std::int64_t first = std::max(begin, it->target);
        const std::int64_t last = std::min(end, it->target + it->target_bytes());
        const auto stored = [&](std::int64_t target_bytes) {
            return target_bytes / size_of(it->to) * size_of(it->tensor->dtype);
        };
        Part part = *it;
        part.from += stored(first - it->target);
        part.bytes = stored(last - first);
        part.target = first;
        part.follows = part.follows && !parts.empty();
        parts.push_back(part);
    }
    return parts;
}

}  // namespace reelyard::store
