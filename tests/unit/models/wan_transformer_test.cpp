#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"

#include "wan/transformer/context.hpp"
#include "wan/transformer/transformer.hpp"
#include "wan_golden.hpp"

#include "reelyard/test/tensors.hpp"

namespace reelyard::models::wan {
namespace {

using reelyard::test::hashed_input;
using reelyard::test::random;
using reelyard::test::relative_error;
using testing::HasSubstr;

/// The configuration of the golden vectors.
TransformerConfig golden_config() {
    return {.heads = 2,
            .head_width = 12,
            .in_channels = 4,
            .out_channels = 4,
            .text_width = 8,
            .frequency_width = 16,
            .ffn_width = 40,
            .layers = 2};
}

store::WeightSet weights_of(const TransformerConfig& config, DType compute = DType::float32) {
    const ComponentSpec spec = transformer_tensors(config);
    auto tensors = test::golden_weights(spec, test::official_transformer_name);
    for (const TensorSpec& tensor : spec.tensors) {
        if (compute == DType::bfloat16 && tensor.precision == Precision::compute) {
            tensors[tensor.name] = tensors[tensor.name].to(at::kBFloat16);
        }
    }
    return {"transformer", std::move(tensors)};
}

/// The velocity for a context that is padded to `rows`.
at::Tensor velocity(WanTransformer& transformer,
                    const at::Tensor& latent,
                    const at::Tensor& timestep,
                    const at::Tensor& context,
                    std::int64_t rows) {
    const Conditioning prepared = transformer.prepare(
        {.tensors = {{"context", context}, {"context_rows", at::tensor(rows)}}});
    return transformer.velocity(latent, timestep, prepared);
}

const parallel::VideoGroup& alone() {
    static const parallel::VideoGroup group = parallel::make_single_rank_group();
    return group;
}

TEST(WanTransformer, has_the_tensors_of_the_original) {
    EXPECT_EQ(transformer_tensors(golden_config()).tensors.size(), 69U);
    EXPECT_EQ(transformer_tensors({.heads = 12, .ffn_width = 8960, .layers = 30}).tensors.size(),
              825U);
    EXPECT_EQ(transformer_tensors({}).tensors.size(), 1095U);
}

TEST(WanTransformer, reproduces_the_golden_vector_of_the_original) {
    WanTransformer transformer(
        golden_config(), weights_of(golden_config()), DType::float32, alone());
    const at::Tensor latent = hashed_input(0, {1, 4, 3, 4, 6});
    const at::Tensor context = hashed_input(1, {1, 7, 8});

    const Conditioning prepared = transformer.prepare({.tensors = {{"context", context}}});
    const at::Tensor found = transformer.velocity(latent, at::tensor({875.0F}), prepared).flatten();

    const at::Tensor first = at::tensor({-0.080559F, 0.578389F, 0.129811F, -0.847743F});
    const at::Tensor last = at::tensor({0.465394F, -0.377282F, -0.714262F});
    EXPECT_TRUE(at::allclose(found.narrow(0, 0, 4), first, 0, 1e-4)) << found.narrow(0, 0, 4);
    EXPECT_TRUE(at::allclose(found.narrow(0, found.numel() - 3, 3), last, 0, 1e-4));
    EXPECT_NEAR(found.sum().item<double>(), -12.18765, 1e-3);
    EXPECT_NEAR(found.abs().sum().item<double>(), 172.13386, 1e-3);
}

TEST(WanTransformer, folding_the_padding_changes_nothing) {
    const TransformerConfig config = golden_config();
    WanTransformer transformer(config, weights_of(config), DType::float32, alone());
    const at::Tensor latent = random({1, 4, 2, 4, 4}, 1);
    const at::Tensor time = at::tensor({500.0F});
    const at::Tensor text = random({1, 9, 8}, 2);
    at::Tensor padding = at::zeros({1, 503, 8});
    const at::Tensor folded = velocity(transformer, latent, time, text, 512);
    // So small that it is zero for every sum, yet no zero for who looks for padding.
    padding.fill_(1e-30);

    const at::Tensor whole = velocity(transformer, latent, time, at::cat({text, padding}, 1), 512);

    EXPECT_LT(relative_error(folded, whole), 2e-6);
}

TEST(WanTransformer, a_sample_does_not_depend_on_its_batch) {
    const TransformerConfig config = golden_config();
    WanTransformer transformer(config, weights_of(config), DType::float32, alone());
    const at::Tensor latent = random({3, 4, 2, 4, 6}, 1);
    const at::Tensor time = at::tensor({900.0F, 500.0F, 31.0F});
    at::Tensor context = random({3, 12, 8}, 2);
    context[0].narrow(0, 5, 7).zero_();
    context[1].zero_();

    const at::Tensor together = velocity(transformer, latent, time, context, 12);

    for (std::int64_t b = 0; b < 3; ++b) {
        const at::Tensor alone = velocity(
            transformer, latent.narrow(0, b, 1), time.narrow(0, b, 1), context.narrow(0, b, 1), 12);
        EXPECT_LT(relative_error(together.narrow(0, b, 1), alone), 2e-6) << b;
    }
}

TEST(WanTransformer, texts_of_unequal_length_go_together_as_a_batch) {
    const TransformerConfig config = golden_config();
    WanTransformer transformer(config, weights_of(config), DType::float32, alone());
    const at::Tensor latent = random({1, 4, 2, 4, 6}, 1);
    const at::Tensor time = at::tensor({700.0F});
    const std::vector<Conditioning> texts{{.tensors = {{"context", random({1, 9, 8}, 2)}}},
                                          {.tensors = {{"context", random({1, 4, 8}, 3)}}}};

    const at::Tensor together = transformer.velocity(at::cat({latent, latent}),
                                                     at::cat({time, time}),
                                                     transformer.prepare(transformer.batch(texts)));

    for (std::size_t i = 0; i < texts.size(); ++i) {
        const at::Tensor alone = transformer.velocity(latent, time, transformer.prepare(texts[i]));
        EXPECT_LT(relative_error(together.narrow(0, static_cast<std::int64_t>(i), 1), alone), 2e-6);
    }
}

TEST(WanTransformer, gives_the_same_bits_on_any_number_of_threads_and_when_asked_again) {
    const TransformerConfig config{.heads = 3,
                                   .head_width = 32,
                                   .text_width = 8,
                                   .frequency_width = 16,
                                   .ffn_width = 200,
                                   .layers = 2};
    const at::Tensor latent = random({1, 16, 3, 20, 26}, 1);
    const at::Tensor context = random({1, 20, 8}, 2);
    for (const DType compute : {DType::float32, DType::bfloat16}) {
        WanTransformer transformer(config, weights_of(config, compute), compute, alone());
        const auto run = [&](int count) {
            const reelyard::test::Threads threads(count);
            return velocity(transformer, latent, at::tensor({700.0F}), context, 512);
        };

        const at::Tensor expected = run(1);

        for (const int count : {1, 2, 3, 4}) {
            EXPECT_TRUE(run(count).equal(expected)) << to_string(compute) << " " << count;
        }
    }
}

TEST(WanTransformer, bfloat16_stays_near_float32) {
    const TransformerConfig config = golden_config();
    WanTransformer exact(config, weights_of(config), DType::float32, alone());
    WanTransformer rounded(config, weights_of(config, DType::bfloat16), DType::bfloat16, alone());
    const at::Tensor latent = random({1, 4, 2, 4, 6}, 1);
    const at::Tensor context = random({1, 7, 8}, 2);

    const at::Tensor found = velocity(rounded, latent, at::tensor({300.0F}), context, 512);

    const at::Tensor expected = velocity(exact, latent, at::tensor({300.0F}), context, 512);
    EXPECT_EQ(found.scalar_type(), at::kFloat);
    EXPECT_LT(relative_error(found, expected), 0.03);
}

TEST(WanTransformer, refuses_a_latent_that_patches_do_not_fill) {
    const TransformerConfig config = golden_config();
    WanTransformer transformer(config, weights_of(config), DType::float32, alone());
    const at::Tensor context = random({1, 7, 8}, 2);

    try {
        (void)velocity(transformer, random({1, 4, 2, 5, 6}, 1), at::tensor({1.0F}), context, 512);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::input);
        EXPECT_THAT(error.message(), HasSubstr("[1, 4, 2, 5, 6]"));
    }
}

TEST(FoldPadding, keeps_a_text_that_fills_all_rows) {
    const at::Tensor context = random({1, 5, 3}, 1);

    const FoldedContext folded = fold_padding(context, 5);

    EXPECT_TRUE(folded.rows.equal(context));
    EXPECT_FALSE(folded.key_bias.defined());
}

TEST(FoldPadding, gives_every_sample_one_row_for_all_its_padding) {
    at::Tensor context = random({2, 6, 3}, 1);
    context[1].narrow(0, 2, 4).zero_();

    const FoldedContext folded = fold_padding(context, 10);

    ASSERT_EQ(folded.rows.sizes(), at::IntArrayRef({2, 7, 3}));
    EXPECT_EQ(folded.key_bias[0][5].item<float>(), 0.0F);
    EXPECT_FLOAT_EQ(folded.key_bias[0][6].item<float>(), std::log(4.0F));
    EXPECT_EQ(folded.key_bias[1][1].item<float>(), 0.0F);
    EXPECT_FLOAT_EQ(folded.key_bias[1][2].item<float>(), std::log(8.0F));
    EXPECT_TRUE(std::isinf(folded.key_bias[1][3].item<float>()));
    EXPECT_TRUE(folded.rows[1].narrow(0, 2, 5).eq(0).all().item<bool>());
}

}  // namespace
}  // namespace reelyard::models::wan
