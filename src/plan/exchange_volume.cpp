#include "reelyard/plan/exchange_volume.hpp"

#include <numeric>

#include "reelyard/base/error.hpp"

#include "parts.hpp"

namespace reelyard::plan {
namespace {

constexpr std::int64_t float32_bytes = 4;
// A block's all-reduces of one number a token (the norms of q and k of the self attention, and of q
// of the cross attention), and of a whole row a token (both attentions and the feed-forward part).
constexpr std::int64_t norm_sums = 3;
constexpr std::int64_t row_sums = 3;

/// Receipts of one rank, and what it holds.
class Reckoning {
public:
    Reckoning(const TransformerShape& shape,
              const ForwardInput& input,
              const ParallelLayout& layout,
              const GridPosition& position)
        : shape_(shape)
        , input_(input)
        , layout_(layout)
        , own_(position)
        , heads_(part_of(shape.heads, layout.tensor, position.tensor))
        , row_bytes_(input.batch * shape.head_width * size_of(input.compute)) {}

    /// Tokens that the rank at a place of the ring and of the Ulysses group holds.
    [[nodiscard]] std::int64_t tokens_of(int ring, int ulysses) const {
        return part_of(input_.tokens, layout_.sequence_size(), ring * layout_.ulysses + ulysses);
    }
    /// Heads that a rank of the Ulysses group has after the trade.
    [[nodiscard]] std::int64_t traded_heads_of(int ulysses) const {
        return part_of(heads_, layout_.ulysses, ulysses);
    }

    /// An all-reduce is a sum of the own share of the numbers, and then the shares of the others.
    void add_tensor() {
        const std::int64_t tokens = input_.batch * tokens_of(own_.ring, own_.ulysses);
        const auto reduced = [&](std::int64_t numbers, int peer) {
            return part_of(numbers, layout_.tensor, own_.tensor) +
                   part_of(numbers, layout_.tensor, peer);
        };
        GridPosition from = own_;
        for (from.tensor = 0; from.tensor < layout_.tensor; ++from.tensor) {
            const std::int64_t norms = norm_sums * float32_bytes * reduced(tokens, from.tensor);
            const std::int64_t rows =
                row_sums * size_of(input_.compute) *
                reduced(tokens * shape_.heads * shape_.head_width, from.tensor);
            add(from, Exchange::tensor, shape_.layers * (norms + rows));
        }
    }

    /// Queries, keys and values of the own heads, then what was attended to for the own tokens.
    void add_ulysses() {
        const std::int64_t own_tokens = tokens_of(own_.ring, own_.ulysses);
        GridPosition from = own_;
        for (from.ulysses = 0; from.ulysses < layout_.ulysses; ++from.ulysses) {
            const std::int64_t there =
                3 * tokens_of(own_.ring, from.ulysses) * traded_heads_of(own_.ulysses);
            const std::int64_t back = own_tokens * traded_heads_of(from.ulysses);
            add(from, Exchange::ulysses, shape_.layers * (there + back) * row_bytes_);
        }
    }

    /// The keys and values of all other members of the ring, through the hands of one.
    void add_ring() {
        GridPosition from = own_;
        from.ring = (own_.ring + layout_.ring - 1) % layout_.ring;
        const std::int64_t others = input_.tokens - part_of(input_.tokens, layout_.ring, own_.ring);
        add(from,
            Exchange::ring,
            shape_.layers * 2 * others * traded_heads_of(own_.ulysses) * row_bytes_);
    }

    void add_gather() {
        GridPosition from = own_;
        for (from.ring = 0; from.ring < layout_.ring; ++from.ring) {
            for (from.ulysses = 0; from.ulysses < layout_.ulysses; ++from.ulysses) {
                add(from, Exchange::gather, velocity_bytes(tokens_of(from.ring, from.ulysses)));
            }
        }
    }

    void add_cfg() {
        GridPosition from = own_;
        from.cfg = 1 - own_.cfg;
        add(from, Exchange::cfg, velocity_bytes(input_.tokens));
    }

    /// The parts of all ranks that hold the same slice.
    void add_weights() {
        if (!layout_.shard_weights) {
            return;
        }
        const std::int64_t part = shape_.block_numbers * size_of(input_.compute) / layout_.tensor /
                                  (layout_.group_size() / layout_.tensor);
        GridPosition from = own_;
        for (from.cfg = 0; from.cfg < layout_.cfg; ++from.cfg) {
            for (from.ring = 0; from.ring < layout_.ring; ++from.ring) {
                for (from.ulysses = 0; from.ulysses < layout_.ulysses; ++from.ulysses) {
                    add(from, Exchange::weights, part);
                }
            }
        }
    }

    [[nodiscard]] const std::vector<Receipt>& receipts() const { return receipts_; }

private:
    [[nodiscard]] std::int64_t velocity_bytes(std::int64_t tokens) const {
        return input_.batch * tokens * shape_.token_outputs * float32_bytes;
    }

    /// What a rank has itself it does not receive.
    void add(const GridPosition& from, Exchange exchange, std::int64_t bytes) {
        if (place_of(from, layout_) != place_of(own_, layout_) && bytes > 0) {
            receipts_.push_back({.from = from, .exchange = exchange, .bytes = bytes});
        }
    }

    const TransformerShape& shape_;
    const ForwardInput& input_;
    const ParallelLayout& layout_;
    GridPosition own_;
    std::int64_t heads_;      ///< of this rank's slice of the weights
    std::int64_t row_bytes_;  ///< of one head of one token in all samples
    std::vector<Receipt> receipts_;
};

}  // namespace

std::string_view to_string(Exchange exchange) {
    constexpr std::array<std::string_view, exchanges.size()> names{
        "tensor", "ulysses", "ring", "gather", "cfg", "weights"};
    return names.at(static_cast<std::size_t>(exchange));
}

std::int64_t split_numbers(const ComponentSpec& component) {
    std::int64_t numbers = 0;
    for (const TensorSpec& tensor : component.tensors) {
        numbers += tensor.split == Split::none ? 0 : element_count(tensor.shape);
    }
    return numbers;
}

TransformerShape shape_of(const ModelSpec& model) {
    return {.layers = model.layers,
            .heads = model.attention_heads,
            .head_width = model.head_width,
            .token_outputs = model.latent_channels * model.latent_per_token,
            .block_numbers = split_numbers(model.component("transformer"))};
}

std::vector<Receipt> receipts_of_forward(const TransformerShape& shape,
                                         const ForwardInput& input,
                                         const ParallelLayout& layout,
                                         const GridPosition& position) {
    Reckoning reckoning(shape, input, layout, position);
    reckoning.add_tensor();
    reckoning.add_ulysses();
    reckoning.add_ring();
    reckoning.add_gather();
    reckoning.add_weights();
    return reckoning.receipts();
}

std::vector<Receipt> receipts_of_step(const TransformerShape& shape,
                                      const ForwardInput& input,
                                      const ParallelLayout& layout,
                                      const GridPosition& position,
                                      Guidance guidance) {
    if (guidance == Guidance::batched && layout.cfg == 1) {
        ForwardInput both = input;
        both.batch *= 2;
        return receipts_of_forward(shape, both, layout, position);
    }
    std::vector<Receipt> receipts = receipts_of_forward(shape, input, layout, position);
    if (guidance == Guidance::off) {
        return receipts;
    }
    if (layout.cfg == 1) {
        for (Receipt& receipt : receipts) {
            receipt.bytes *= 2;
        }
        return receipts;
    }
    Reckoning other_branch(shape, input, layout, position);
    other_branch.add_cfg();
    receipts.insert(receipts.end(), other_branch.receipts().begin(), other_branch.receipts().end());
    return receipts;
}

std::int64_t ExchangeVolume::total() const {
    return std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0});
}

ExchangeVolume sum_of(const std::vector<Receipt>& receipts) {
    ExchangeVolume volume;
    for (const Receipt& receipt : receipts) {
        volume.bytes.at(static_cast<std::size_t>(receipt.exchange)) += receipt.bytes;
    }
    return volume;
}

}  // namespace reelyard::plan
