#include "reelyard/plan/memory_model.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/format.hpp"

#include "parts.hpp"

namespace reelyard::plan {
namespace {

constexpr std::int64_t float32_bytes = 4;

std::int64_t held_elements(const TensorSpec& tensor, Shard tensor_parallel) {
    const std::int64_t all = element_count(tensor.shape);
    if (tensor.split == Split::none || tensor_parallel.degree == 1) {
        return all;
    }
    const std::int64_t length = tensor.shape.at(tensor.split == Split::rows ? 0 : 1);
    const Interval held = shard_of(length, tensor.split_unit, tensor_parallel);
    return all / length * (held.end - held.begin);
}

std::int64_t held_bytes(const TensorSpec& tensor, DType compute, Shard tensor_parallel) {
    const DType type = tensor.precision == Precision::compute ? compute : DType::float32;
    return held_elements(tensor, tensor_parallel) * size_of(type);
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

/// With sharded weights a part of what the blocks have that is dealt out, and two buffers of one
/// block each. What all ranks of a tensor parallel group hold whole is not dealt out.
std::int64_t component_bytes(const ComponentSpec& component,
                             DType compute,
                             const ParallelLayout& layout,
                             int slice) {
    const Shard tensor_parallel{.degree = layout.tensor, .index = slice};
    const std::int64_t all = weight_bytes(component, compute, tensor_parallel);
    std::int64_t dealt = 0;
    std::int64_t blocks = 0;
    for (const TensorSpec& tensor : component.tensors) {
        if (tensor.block && (layout.tensor == 1 || tensor.split != Split::none)) {
            dealt += held_bytes(tensor, compute, tensor_parallel);
            blocks = std::max<std::int64_t>(blocks, *tensor.block + 1);
        }
    }
    if (!layout.shard_weights || blocks == 0) {
        return all;
    }
    return all - dealt + dealt / layout.same_weights_size() + 2 * dealt / blocks;
}

std::int64_t codec_bytes(const ModelSpec& model, DType compute) {
    return weight_bytes(model.component("vae"), compute, {});
}

/// A memory while it is filled rank by rank.
class Memory {
public:
    /// \param codec bytes of its weights, which the ranks on a node's cores share
    Memory(const topology::Inventory& inventory, const topology::Place& at, std::int64_t codec)
        : codec_(codec)
        , denoising_(at.gpu < 0 ? codec : 0) {
        const topology::Node& node = inventory.nodes.at(static_cast<std::size_t>(at.node));
        const std::int64_t bytes =
            at.gpu < 0 ? node.memory_bytes
                       : node.gpus.at(static_cast<std::size_t>(at.gpu)).memory_bytes;
        use_ = {.node = at.node, .gpu = at.gpu, .available = bytes / 10 * 9};
    }

    /// Ranks on a node's cores that hold the same slice share it, unless each keeps parts of its
    /// own.
    void add(const RankMemory& rank, int slice, bool keeps_parts) {
        const bool is_on_gpu = use_.gpu >= 0;
        denoising_ += rank.activations;
        if (is_on_gpu || keeps_parts || slices_.insert(slice).second) {
            denoising_ += rank.weights - (is_on_gpu ? 0 : codec_);
            texts_ += rank.text_encoder;
        }
        ++use_.ranks;
    }

    [[nodiscard]] MemoryUse use() const {
        MemoryUse use = use_;
        use.needed = std::max(denoising_, texts_);
        return use;
    }

private:
    std::int64_t codec_;
    MemoryUse use_;
    std::int64_t denoising_;
    std::int64_t texts_ = 0;
    std::set<int> slices_;
};

}  // namespace

std::int64_t weight_bytes(const ComponentSpec& component, DType compute, Shard tensor_parallel) {
    std::int64_t bytes = 0;
    for (const TensorSpec& tensor : component.tensors) {
        bytes += held_bytes(tensor, compute, tensor_parallel);
    }
    return bytes;
}

RankMemory memory_of(const ModelSpec& model,
                     const Workload& workload,
                     const ParallelLayout& layout,
                     const GridPosition& position) {
    const auto held = [&](const char* component) {
        return component_bytes(
            model.component(component), workload.compute, layout, position.tensor);
    };
    return {.weights = held("transformer") + codec_bytes(model, workload.compute),
            .activations = block_bytes(model, workload, layout, position) +
                           text_bytes(model, workload, layout, position),
            .text_encoder = held("text_encoder")};
}

RankMemory most_memory(const ModelSpec& model,
                       const Workload& workload,
                       const ParallelLayout& layout) {
    RankMemory most;
    for (int place = 0; place < layout.group_size(); ++place) {
        const RankMemory memory = memory_of(model, workload, layout, position_of(place, layout));
        if (memory.total() > most.total()) {
            most = memory;
        }
    }
    return most;
}

MemoryUse tightest_memory(const ModelSpec& model,
                          const Workload& workload,
                          const ParallelLayout& layout,
                          const topology::Inventory& inventory) {
    std::map<std::pair<int, int>, Memory> memories;
    std::map<int, RankMemory> by_slice;
    for (int place = 0; place < layout.used_ranks(); ++place) {
        const topology::Place& at = inventory.ranks.at(static_cast<std::size_t>(place));
        const GridPosition position = position_of(place, layout);
        if (!by_slice.contains(position.tensor)) {
            by_slice[position.tensor] = memory_of(model, workload, layout, position);
        }
        RankMemory rank = by_slice[position.tensor];
        rank.activations = block_bytes(model, workload, layout, position) +
                           text_bytes(model, workload, layout, position);
        memories.try_emplace({at.node, at.gpu}, inventory, at, codec_bytes(model, workload.compute))
            .first->second.add(rank, position.tensor, layout.shard_weights);
    }
    MemoryUse tightest = memories.begin()->second.use();
    for (const auto& [place, memory] : memories) {
        const MemoryUse use = memory.use();
        if (use.available - use.needed < tightest.available - tightest.needed) {
            tightest = use;
        }
    }
    return tightest;
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
