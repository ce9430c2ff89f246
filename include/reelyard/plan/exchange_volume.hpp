#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "reelyard/spec/dtype.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/spec/parallel_layout.hpp"

/// What ranks exchange while they denoise, from the numbers of a model alone. docs/design/splits.md
/// derives the formulas; a test compares them with what the transformer really exchanges.
namespace reelyard::plan {

/// For what ranks exchange something.
enum class Exchange {
    tensor,   ///< sums over the ranks of a tensor parallel group
    ulysses,  ///< tokens for heads, and back
    ring,     ///< keys and values that travel
    gather,   ///< the velocity, from all ranks that hold a part of it
    cfg,      ///< the velocity of the other branch
    weights,  ///< of blocks, from the ranks that keep parts of them
};

constexpr std::array exchanges{Exchange::tensor,
                               Exchange::ulysses,
                               Exchange::ring,
                               Exchange::gather,
                               Exchange::cfg,
                               Exchange::weights};

/// "tensor", "ulysses" ...
[[nodiscard]] std::string_view to_string(Exchange exchange);

/// The numbers of a transformer that decide what its ranks exchange.
struct TransformerShape {
    std::int64_t layers = 1;
    std::int64_t heads = 1;
    std::int64_t head_width = 1;
    std::int64_t token_outputs = 1;  ///< numbers of the velocity that a token gives
    std::int64_t block_numbers = 0;  ///< of the weights that are split, in all blocks together
};

[[nodiscard]] TransformerShape shape_of(const ModelSpec& model);

/// Numbers in the weights that tensor parallel cuts: nearly all of the blocks, and nothing else.
[[nodiscard]] std::int64_t split_numbers(const ComponentSpec& component);

/// What one pass of the transformer is given.
struct ForwardInput {
    std::int64_t batch = 1;
    std::int64_t tokens = 1;  ///< of a sequence
    DType compute = DType::bfloat16;
};

/// What a rank receives from one other for one purpose.
struct Receipt {
    GridPosition from;
    Exchange exchange;
    std::int64_t bytes;
};

/// What the rank at `position` receives during one pass of the transformer, from each other rank
/// of its replica. In the ring only the neighbour sends, whatever it passes on. What is received of
/// sharded weights is taken for even parts, which they are but for a page of memory.
[[nodiscard]] std::vector<Receipt> receipts_of_forward(const TransformerShape& shape,
                                                       const ForwardInput& input,
                                                       const ParallelLayout& layout,
                                                       const GridPosition& position);

/// Whether the prompt alone decides a step, or the negative prompt, too.
enum class Guidance {
    off,
    on,
    batched,  ///< on, and a rank that computes both branches does so in one pass
};

/// The same for one step of the sampler with one video: both branches one after the other or as one
/// batch, or one branch and then the velocity of the other. The 4-byte vote on stopping is left
/// out.
[[nodiscard]] std::vector<Receipt> receipts_of_step(const TransformerShape& shape,
                                                    const ForwardInput& input,
                                                    const ParallelLayout& layout,
                                                    const GridPosition& position,
                                                    Guidance guidance);

/// Bytes by purpose.
struct ExchangeVolume {
    std::array<std::int64_t, exchanges.size()> bytes = {};

    [[nodiscard]] std::int64_t of(Exchange exchange) const {
        return bytes.at(static_cast<std::size_t>(exchange));
    }
    [[nodiscard]] std::int64_t total() const;
};

[[nodiscard]] ExchangeVolume sum_of(const std::vector<Receipt>& receipts);

}  // namespace reelyard::plan
