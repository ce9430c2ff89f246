#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"
#include "reelyard/parallel/video_group.hpp"

#include "wan/text/text_encoder.hpp"
#include "wan_golden.hpp"

#include "reelyard/test/tensors.hpp"

namespace reelyard::models::wan {
namespace {

using reelyard::test::relative_error;

TextEncoderConfig golden_config() {
    return {.vocabulary = 50,
            .width = 16,
            .head_width = 8,
            .ffn_width = 32,
            .layers = 2,
            .heads = 2,
            .buckets = 32};
}

TextEncoder golden_encoder(at::ScalarType type = at::kFloat) {
    auto tensors = test::golden_weights(text_encoder_tensors(golden_config()),
                                        test::official_text_encoder_name);
    for (auto& [name, tensor] : tensors) {
        tensor = tensor.to(type);
    }
    static const parallel::VideoGroup alone = parallel::make_single_rank_group();
    return {golden_config(), store::WeightSet("text_encoder", std::move(tensors)), alone};
}

/// 28 ids, then 12 of padding.
at::Tensor golden_ids() {
    at::Tensor ids = (at::arange(40, at::kLong) * 7 + 3).remainder(50);
    ids.narrow(0, 28, 12).zero_();
    return ids.unsqueeze(0);
}

at::Tensor golden_mask() {
    return at::arange(40, at::kLong).lt(28).to(at::kLong).unsqueeze(0);
}

TEST(WanTextEncoder, has_the_tensors_of_the_original) {
    EXPECT_EQ(text_encoder_tensors({.layers = 24}).tensors.size(), 242U);
}

TEST(WanTextEncoder, reproduces_the_golden_vector_of_the_original) {
    const at::Tensor found =
        golden_encoder().encode(golden_ids(), golden_mask()).narrow(1, 0, 28).flatten();

    const at::Tensor first = at::tensor({-1.436751F, 2.066562F, 0.104796F, 1.304732F});
    const at::Tensor last = at::tensor({1.777113F, 2.489466F, 0.193595F});
    EXPECT_TRUE(at::allclose(found.narrow(0, 0, 4), first, 0, 1e-4)) << found.narrow(0, 0, 4);
    EXPECT_TRUE(at::allclose(found.narrow(0, found.numel() - 3, 3), last, 0, 1e-4));
    EXPECT_NEAR(found.sum().item<double>(), 40.87398, 1e-3);
    EXPECT_NEAR(found.abs().sum().item<double>(), 369.97903, 1e-3);
}

TEST(WanTextEncoder, rows_of_the_text_need_no_padding) {
    const TextEncoder encoder = golden_encoder();
    const at::Tensor ids = golden_ids().narrow(1, 0, 28);

    const at::Tensor alone = encoder.encode(ids, at::ones_like(ids));

    const at::Tensor padded = encoder.encode(golden_ids(), golden_mask()).narrow(1, 0, 28);
    EXPECT_LT(relative_error(alone, padded), 2e-6);
}

TEST(WanTextEncoder, bfloat16_stays_near_float32) {
    const at::Tensor found = golden_encoder(at::kBFloat16).encode(golden_ids(), golden_mask());

    EXPECT_EQ(found.scalar_type(), at::kBFloat16);
    const at::Tensor expected = golden_encoder().encode(golden_ids(), golden_mask());
    EXPECT_LT(relative_error(found.narrow(1, 0, 28), expected.narrow(1, 0, 28)), 0.03);
}

TEST(WanTextEncoder, gives_the_same_bits_on_any_number_of_threads) {
    for (const auto type : {at::kFloat, at::kBFloat16}) {
        const TextEncoder encoder = golden_encoder(type);
        const auto run = [&](int count) {
            const reelyard::test::Threads threads(count);
            return encoder.encode(golden_ids(), golden_mask());
        };
        const at::Tensor expected = run(1);
        for (const int count : {2, 3, 4}) {
            EXPECT_TRUE(run(count).equal(expected)) << count;
        }
    }
}

TEST(WanTextEncoder, refuses_an_id_beyond_the_vocabulary) {
    const at::Tensor ids = at::full({1, 3}, 50, at::kLong);

    EXPECT_THROW((void)golden_encoder().encode(ids, at::ones_like(ids)), Error);
}

TEST(PositionBuckets, change_at_the_distances_of_the_original) {
    const at::Tensor buckets = position_buckets(512, 32, 128);
    const auto bucket = [&](std::int64_t relative) {
        const std::int64_t query = relative < 0 ? -relative : 0;
        return buckets[query][query + relative].item<std::int64_t>();
    };

    const std::vector<std::pair<std::int64_t, std::int64_t>> expected{
        {-511, 15}, {-91, 15}, {-90, 14}, {-64, 14}, {-63, 13}, {-46, 13}, {-45, 12},
        {-32, 12},  {-31, 11}, {-23, 11}, {-22, 10}, {-16, 10}, {-15, 9},  {-12, 9},
        {-11, 8},   {-8, 8},   {-7, 7},   {-1, 1},   {0, 0},    {1, 17},   {7, 23},
        {8, 24},    {12, 25},  {46, 29},  {511, 31}};
    for (const auto& [relative, wanted] : expected) {
        EXPECT_EQ(bucket(relative), wanted) << relative;
    }
}

}  // namespace
}  // namespace reelyard::models::wan
