#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/base/format.hpp"
#include "reelyard/parallel/counting_backend.hpp"
#include "reelyard/plan/exchange_volume.hpp"
#include "reelyard/spec/shard.hpp"

#include "wan/tensors.hpp"
#include "wan/transformer/transformer.hpp"

namespace reelyard::models::wan {
namespace {

using plan::Exchange;

/// What the transformer is tried with; rank `place` of a replica is looked at.
struct Case {
    TransformerConfig config;
    std::vector<std::int64_t> grid;  ///< tokens: frames, rows, columns
    std::int64_t batch;
    DType compute;
    ParallelLayout layout;
    int place;
};

std::string text_of(const Case& c) {
    return fmt::format("rank {} of {}, {} heads of {}, {} layers, ffn {}, tokens {}, batch {}, {}",
                       c.place,
                       to_string(c.layout),
                       c.config.heads,
                       c.config.head_width,
                       c.config.layers,
                       c.config.ffn_width,
                       to_string(c.grid),
                       c.batch,
                       to_string(c.compute));
}

/// The slices of a tensor parallel rank; what is in them does not matter.
store::WeightSet slices_of(const TransformerConfig& config, DType compute, Shard shard) {
    std::map<std::string, at::Tensor> tensors;
    for (const TensorSpec& spec : transformer_tensors(config).tensors) {
        std::vector<std::int64_t> shape = spec.shape;
        if (spec.split != Split::none) {
            std::int64_t& length = shape.at(spec.split == Split::rows ? 0 : 1);
            const Interval part = shard_of(length, spec.split_unit, shard);
            length = part.end - part.begin;
        }
        const bool is_half = compute == DType::bfloat16 && spec.precision == Precision::compute;
        tensors[spec.name] = at::full(shape, 0.01, is_half ? at::kBFloat16 : at::kFloat);
    }
    return {"transformer", std::move(tensors)};
}

std::unique_ptr<parallel::TensorComm> counting(const std::string& name, int rank, int size) {
    return std::make_unique<parallel::TensorComm>(
        name, size == 1 ? nullptr : parallel::make_counting_backend(rank, size), 1.0);
}

/// The groups of one rank, in which nobody else is.
parallel::VideoGroup imagined_group(const ParallelLayout& layout, int place) {
    const GridPosition at = position_of(place, layout);
    return {.tensor = counting("tensor", at.tensor, layout.tensor),
            .ulysses = counting("ulysses", at.ulysses, layout.ulysses),
            .ring = counting("ring", at.ring, layout.ring),
            .sequence =
                counting("sequence", at.ring * layout.ulysses + at.ulysses, layout.sequence_size()),
            .cfg = counting("cfg", at.cfg, layout.cfg),
            .shards = counting("shards", 0, 1),
            .replica = counting("video", place, layout.group_size())};
}

std::int64_t bytes_of(const parallel::TensorComm& ranks) {
    std::int64_t bytes = 0;
    for (const auto& [operation, volume] : ranks.volumes()) {
        bytes += volume.bytes;
    }
    return bytes;
}

/// What a rank receives in each of its groups while the transformer computes one velocity.
std::vector<std::pair<Exchange, std::int64_t>> received(const Case& c) {
    const parallel::VideoGroup group = imagined_group(c.layout, c.place);
    WanTransformer transformer(
        c.config, slices_of(c.config, c.compute, group.weights()), c.compute, group);
    const Conditioning prepared = transformer.prepare(
        {.tensors = {{"context", at::ones({c.batch, 3, c.config.text_width})}}});
    const std::int64_t before = bytes_of(*group.tensor);
    const at::Tensor latent =
        at::ones({c.batch, c.config.in_channels, c.grid.at(0), 2 * c.grid.at(1), 2 * c.grid.at(2)});

    (void)transformer.velocity(latent, at::full({c.batch}, 500.0), prepared);

    return {{Exchange::tensor, bytes_of(*group.tensor) - before},
            {Exchange::ulysses, bytes_of(*group.ulysses)},
            {Exchange::ring, bytes_of(*group.ring)},
            {Exchange::gather, bytes_of(*group.sequence)}};
}

plan::ExchangeVolume predicted(const Case& c) {
    const plan::TransformerShape shape{
        .layers = c.config.layers,
        .heads = c.config.heads,
        .head_width = c.config.head_width,
        .token_outputs = c.config.out_channels * c.config.patch_volume()};
    return plan::sum_of(
        plan::receipts_of_forward(shape,
                                  {.batch = c.batch,
                                   .tokens = c.grid.at(0) * c.grid.at(1) * c.grid.at(2),
                                   .compute = c.compute},
                                  c.layout,
                                  position_of(c.place, c.layout)));
}

void expect_equal(const Case& c) {
    const plan::ExchangeVolume wanted = predicted(c);
    for (const auto& [exchange, bytes] : received(c)) {
        EXPECT_EQ(bytes, wanted.of(exchange)) << plan::to_string(exchange) << ": " << text_of(c);
    }
}

/// Draws what is possible, and often what does not divide.
class Draw {
public:
    explicit Draw(std::uint64_t seed) : random_(seed) {}

    int between(int least, int most) {
        return std::uniform_int_distribution<int>(least, most)(random_);
    }

    ParallelLayout layout(int heads) {
        ParallelLayout layout;
        layout.tensor = between(1, std::min(heads, 8));
        layout.ulysses = between(1, std::min(heads / layout.tensor, 8));
        const int room = 64 / (layout.tensor * layout.ulysses);
        layout.ring = between(1, std::min(room, 8));
        layout.cfg = between(1, std::min(room / layout.ring, 2));
        return layout;
    }

    Case any() {
        constexpr std::array heads{5, 6, 12};
        Case drawn{.config = {.heads = heads.at(static_cast<std::size_t>(between(0, 2))),
                              .head_width = 2 * between(3, 6),
                              .in_channels = 2,
                              .out_channels = 2,
                              .text_width = 4,
                              .frequency_width = 8,
                              .ffn_width = between(13, 40),
                              .layers = between(1, 2)},
                   .grid = {between(1, 3), between(5, 7), between(5, 9)},
                   .batch = between(1, 2),
                   .compute = between(0, 1) == 0 ? DType::float32 : DType::bfloat16,
                   .layout = {},
                   .place = 0};
        do {
            drawn.layout = layout(static_cast<int>(drawn.config.heads));
        } while (drawn.layout.sequence_size() >
                 drawn.grid.at(0) * drawn.grid.at(1) * drawn.grid.at(2));
        drawn.place = between(0, drawn.layout.group_size() - 1);
        return drawn;
    }

private:
    std::mt19937_64 random_;
};

TEST(WanExchange, is_what_the_formulas_say_for_any_layout_and_rank) {
    for (std::uint64_t seed = 0; seed < 150; ++seed) {
        const Case drawn = Draw(seed).any();

        SCOPED_TRACE(fmt::format("seed {}", seed));
        expect_equal(drawn);
    }
}

TEST(WanExchange, is_what_the_formulas_say_on_every_one_of_64_ranks) {
    Case c{.config = {.heads = 12,
                      .head_width = 6,
                      .in_channels = 2,
                      .out_channels = 2,
                      .text_width = 4,
                      .frequency_width = 8,
                      .ffn_width = 29,
                      .layers = 1},
           .grid = {3, 5, 7},
           .batch = 1,
           .compute = DType::bfloat16,
           .layout = {.cfg = 2, .ring = 4, .ulysses = 4, .tensor = 2},
           .place = 0};

    for (c.place = 0; c.place < c.layout.group_size(); ++c.place) {
        expect_equal(c);
    }
}

}  // namespace
}  // namespace reelyard::models::wan
