#include "reelyard/plan/memory_model.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard::plan {
namespace {

constexpr std::int64_t float32_bytes = 4;

std::int64_t part_of(std::int64_t length, int degree, int index) {
    const Interval part = shard_of(length, 1, {.degree = degree, .index = index});
    return part.end - part.begin;
}

std::int64_t held_elements(const TensorSpec& tensor, Shard tensor_parallel) {
    const std::int64_t all = element_count(tensor.shape);
    if (tensor.split == Split::none || tensor_parallel.degree == 1) {
        return all;
    }
    const std::int64_t length = tensor.shape.at(tensor.split == Split::rows ? 0 : 1);
    const Interval held = shard_of(length, tensor.split_unit, tensor_parallel);
    return all / length * (held.end - held.begin);
}

/// What one block has alive, and the stream that runs through all.
std::int64_t block_bytes(const ModelSpec& model,
                         const Workload& workload,
                         const ParallelLayout& layout,
                         const GridPosition& position) {
    const std::int64_t width = model.attention_heads * model.head_width;
    const std::int64_t heads = part_of(model.attention_heads, layout.tensor, position.tensor);
    const std::int64_t inner = heads * model.head_width;
    const std::int64_t hidden = part_of(model.ffn_width, layout.tensor, position.tensor);
    const std::int64_t batch = workload.guidance == Guidance::batched && layout.cfg == 1 ? 2 : 1;
    const std::int64_t own = part_of(
        workload.tokens, layout.sequence_size(), position.ring * layout.ulysses + position.ulysses);
    const std::int64_t group = part_of(workload.tokens, layout.ring, position.ring);
    const std::int64_t traded = part_of(heads, layout.ulysses, position.ulysses) * model.head_width;
    const std::int64_t element = size_of(workload.compute);

    const std::int64_t stream = own * width * float32_bytes;
    const std::int64_t buffers = own * (width + 4 * inner + hidden) * element;
    // q, k and v, sent and received and joined, and what was attended to.
    const std::int64_t trade =
        layout.ulysses == 1 ? 0 : (3 * own * inner + 7 * group * traded) * element;
    // Two sums in float32; the present keys and values and the next ones.
    const std::int64_t ring =
        layout.ring == 1 ? 0 : group * traded * (2 * float32_bytes + 4 * element);
    // A linear layer's result, and in float32 with its bias.
    const std::int64_t sum = layout.tensor == 1 ? 0 : own * width * (element + 2 * float32_bytes);
    return batch * (stream + buffers + std::max(trade + ring, sum));
}

/// Keys and values of the texts in all blocks.
std::int64_t text_bytes(const ModelSpec& model,
                        const Workload& workload,
                        const ParallelLayout& layout,
                        const GridPosition& position) {
    const std::int64_t heads = part_of(model.attention_heads, layout.tensor, position.tensor);
    const std::int64_t texts = workload.guidance != Guidance::off && layout.cfg == 1 ? 2 : 1;
    return texts * model.layers * 2 * model.text_rows * heads * model.head_width *
           size_of(workload.compute);
}

/// With sharded weights a part of what is split, and two buffers of one block each.
std::int64_t transformer_bytes(const ModelSpec& model,
                               DType compute,
                               const ParallelLayout& layout,
                               int slice) {
    const ComponentSpec& component = model.component("transformer");
    const std::int64_t all =
        weight_bytes(component, compute, {.degree = layout.tensor, .index = slice});
    if (!layout.shard_weights) {
        return all;
    }
    const std::int64_t split = split_numbers(component) * size_of(compute) / layout.tensor;
    const std::int64_t shards = layout.group_size() / layout.tensor;
    return all - split + split / shards + 2 * split / model.layers;
}

std::int64_t codec_bytes(const ModelSpec& model, DType compute) {
    return weight_bytes(model.component("vae"), compute, {});
}

}  // namespace

std::int64_t weight_bytes(const ComponentSpec& component, DType compute, Shard tensor_parallel) {
    std::int64_t bytes = 0;
    for (const TensorSpec& tensor : component.tensors) {
        const DType type = tensor.precision == Precision::compute ? compute : DType::float32;
        bytes += held_elements(tensor, tensor_parallel) * size_of(type);
    }
    return bytes;
}

RankMemory memory_of(const ModelSpec& model,
                     const Workload& workload,
                     const ParallelLayout& layout,
                     const GridPosition& position) {
    return {.weights = transformer_bytes(model, workload.compute, layout, position.tensor) +
                       codec_bytes(model, workload.compute),
            .activations = block_bytes(model, workload, layout, position) +
                           text_bytes(model, workload, layout, position)};
}

MemoryUse tightest_memory(const ModelSpec& model,
                          const Workload& workload,
                          const ParallelLayout& layout,
                          const topology::Inventory& inventory) {
    std::map<std::pair<int, int>, MemoryUse> memories;
    std::map<std::pair<int, int>, bool> has_slice;  // (node, slice)
    std::map<int, std::int64_t> weights;            // by slice
    const std::int64_t codec = codec_bytes(model, workload.compute);
    for (int place = 0; place < layout.used_ranks(); ++place) {
        const topology::Place& at = inventory.ranks.at(static_cast<std::size_t>(place));
        const topology::Node& node = inventory.nodes.at(static_cast<std::size_t>(at.node));
        const GridPosition position = position_of(place, layout);
        const auto [memory, is_new] = memories.try_emplace({at.node, at.gpu});
        MemoryUse& use = memory->second;
        if (is_new) {
            const std::int64_t bytes =
                at.gpu < 0 ? node.memory_bytes
                           : node.gpus.at(static_cast<std::size_t>(at.gpu)).memory_bytes;
            use = {.node = at.node, .gpu = at.gpu, .available = bytes / 10 * 9};
            use.needed = at.gpu < 0 ? codec : 0;
        }
        if (!weights.contains(position.tensor)) {
            weights[position.tensor] =
                transformer_bytes(model, workload.compute, layout, position.tensor);
        }
        const bool is_own =
            layout.shard_weights || !std::exchange(has_slice[{at.node, position.tensor}], true);
        if (at.gpu >= 0) {
            use.needed += weights[position.tensor] + codec;
        } else if (is_own) {
            use.needed += weights[position.tensor];
        }
        use.needed += block_bytes(model, workload, layout, position) +
                      text_bytes(model, workload, layout, position);
        ++use.ranks;
    }
    const auto room = [](const MemoryUse& use) {
        return use.available - use.needed;
    };
    return std::min_element(
               memories.begin(),
               memories.end(),
               [&](const auto& a, const auto& b) { return room(a.second) < room(b.second); })
        ->second;
}

std::string memory_text(const MemoryUse& use) {
    const std::string place = use.gpu < 0 ? fmt::format("node {}", use.node)
                                          : fmt::format("GPU {} of node {}", use.gpu, use.node);
    return use.available == 0
               ? fmt::format("{} on {}, whose memory is not known", format_bytes(use.needed), place)
               : fmt::format("{} of the {} that may be filled on {}",
                             format_bytes(use.needed),
                             format_bytes(use.available),
                             place);
}

}  // namespace reelyard::plan
