#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reelyard/base/format.hpp"
#include "reelyard/plan/exchange_volume.hpp"

#include "hardware.hpp"

namespace reelyard::plan {
namespace {

/// Wan2.1-14B: 16 latent channels in patches of 1 x 2 x 2; two attentions of four square weights
/// and a feed-forward part of width 13824 in each block.
constexpr TransformerShape wan_14b{
    .layers = 40,
    .heads = 40,
    .head_width = 128,
    .token_outputs = 64,
    .block_numbers = std::int64_t{40} * (8 * 5120 * 5120 + 2 * 5120 * 13824)};

std::vector<ParallelLayout> layouts() {
    return {{},
            {.cfg = 2},
            {.ulysses = 2},
            {.tensor = 2},
            {.cfg = 2, .ulysses = 2},
            {.ulysses = 4},
            {.cfg = 2, .ulysses = 4},
            {.cfg = 2, .ulysses = 4, .shard_weights = true},
            {.cfg = 2, .tensor = 4},
            {.cfg = 2, .ring = 4},
            {.ulysses = 8},
            {.ring = 8},
            {.tensor = 8},
            {.cfg = 2, .ulysses = 8},
            {.cfg = 2, .ulysses = 8, .shard_weights = true},
            {.cfg = 2, .tensor = 8},
            {.cfg = 2, .ring = 2, .ulysses = 8},
            {.cfg = 2, .ulysses = 8, .tensor = 2},
            {.cfg = 2, .ring = 4, .ulysses = 8},
            {.cfg = 2, .ring = 2, .ulysses = 8, .tensor = 2}};
}

/// Of the rank that receives most.
ExchangeVolume most_received(const ParallelLayout& layout, std::int64_t tokens) {
    ExchangeVolume most;
    for (int place = 0; place < layout.group_size(); ++place) {
        const ExchangeVolume volume = sum_of(receipts_of_step(
            wan_14b, {.tokens = tokens}, layout, position_of(place, layout), Guidance::on));
        if (volume.total() > most.total()) {
            most = volume;
        }
    }
    return most;
}

std::string gigabytes(std::int64_t bytes) {
    return bytes == 0 ? "-" : fmt::format("{:.3f}", static_cast<double>(bytes) / 1e9);
}

std::string row(const ParallelLayout& layout, std::int64_t tokens) {
    const ExchangeVolume volume = most_received(layout, tokens);
    const std::string name = to_string(layout);
    std::string text = fmt::format(
        "| {} | {} |", layout.group_size(), name.substr(std::string("1 replica of ").size()));
    for (const Exchange exchange : exchanges) {
        text += fmt::format(" {} |", gigabytes(volume.of(exchange)));
    }
    return text + fmt::format(" {} |\n", gigabytes(volume.total()));
}

std::string table(std::int64_t tokens) {
    std::string text =
        "| GPUs | layout | tensor | ulysses | ring | gather | cfg | weights | all |\n"
        "|---|---|---|---|---|---|---|---|---|\n";
    for (const ParallelLayout& layout : layouts()) {
        text += row(layout, tokens);
    }
    return text;
}

std::string documentation() {
    const std::ifstream file(REELYARD_FIXTURES "/../../docs/design/splits.md");
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(VolumeTable, in_the_documentation_is_what_the_formulas_give) {
    const std::string text = documentation();

    EXPECT_THAT(text, testing::HasSubstr(table(test::tokens_480p)));
    EXPECT_THAT(text, testing::HasSubstr(table(test::tokens_720p)));
}

}  // namespace
}  // namespace reelyard::plan
