#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"

#include "hashed_weights.hpp"
#include "wan/vae/codec.hpp"
#include "wan/vae/network.hpp"
#include "wan/vae/spec.hpp"

namespace reelyard::models::wan {
namespace {

using test::hashed;
using test::hashed_input;
using testing::HasSubstr;

constexpr const char* small_config = R"({
    "base_dim": 8, "z_dim": 4, "dim_mult": [1, 2, 4, 4], "num_res_blocks": 2,
    "temperal_downsample": [false, true, true],
    "latents_mean": [0.5, -1, 0, 2], "latents_std": [2, 0.5, 1, 4]})";

VaeConfig config_of(const std::string& json) {
    CheckpointConfig checkpoint;
    checkpoint.files["vae/config.json"] = json;
    return parse_vae_config(checkpoint);
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

/// The name in the original checkpoint of a VAE with four levels and two blocks each.
std::string official_name(std::string name) {
    if (name.rfind("quant_conv", 0) == 0) {
        return replaced(name, "quant_conv", "conv1");
    }
    if (name.rfind("post_quant_conv", 0) == 0) {
        return replaced(name, "post_quant_conv", "conv2");
    }
    for (const auto& [from, to] :
         std::map<std::string, std::string>{{".conv1.", ".residual.2."},
                                            {".conv2.", ".residual.6."},
                                            {".norm1.", ".residual.0."},
                                            {".norm2.", ".residual.3."},
                                            {".conv_shortcut.", ".shortcut."},
                                            {".down_blocks.", ".downsamples."},
                                            {".mid_block.resnets.0.", ".middle.0."},
                                            {".mid_block.attentions.0.", ".middle.1."},
                                            {".mid_block.resnets.1.", ".middle.2."},
                                            {".norm_out.", ".head.0."},
                                            {".conv_out.", ".head.2."}}) {
        name = replaced(name, from, to);
    }
    for (int block = 0; block < 4; ++block) {
        const std::string up = fmt::format(".up_blocks.{}.", block);
        for (int r = 0; r < 3; ++r) {
            name = replaced(name,
                            fmt::format("{}resnets.{}.", up, r),
                            fmt::format(".upsamples.{}.", 4 * block + r));
        }
        name = replaced(name, up + "upsamplers.0.", fmt::format(".upsamples.{}.", 4 * block + 3));
    }
    return replaced(name, ".conv_in.", ".conv1.");
}

/// The weights of the golden vectors: numbered by the sorted names of the original checkpoint.
std::map<std::string, at::Tensor> golden_weights(const VaeConfig& config) {
    std::map<std::string, TensorSpec> by_official_name;
    for (const TensorSpec& spec : describe_vae(config).tensors) {
        by_official_name[official_name(spec.name)] = spec;
    }
    std::map<std::string, at::Tensor> weights;
    std::uint32_t index = 0;
    for (const auto& [name, spec] : by_official_name) {
        at::Tensor values = 0.5 * hashed(index++, spec.shape);
        if (name.ends_with("gamma")) {
            values += 1;
        }
        weights[spec.name] = values.to(at::kFloat);
    }
    return weights;
}

store::WeightSet weight_set(const VaeConfig& config) {
    return {"vae", golden_weights(config)};
}

const parallel::VideoGroup& one_rank() {
    static const parallel::VideoGroup group = parallel::make_single_rank_group();
    return group;
}

std::unique_ptr<VideoCodec> small_codec() {
    const VaeConfig config = config_of(small_config);
    return make_vae_codec(config, weight_set(config), one_rank());
}

std::vector<at::Tensor> decoded_chunks(VideoCodec& codec,
                                       const at::Tensor& latent,
                                       const TilingOptions& tiling = {}) {
    std::vector<at::Tensor> chunks;
    codec.decode(latent, tiling, [&](const at::Tensor& frames) {
        chunks.push_back(frames);
        return true;
    });
    return chunks;
}

at::Tensor decoded(VideoCodec& codec, const at::Tensor& latent, const TilingOptions& tiling = {}) {
    return at::cat(decoded_chunks(codec, latent, tiling), 2);
}

struct Golden {
    double sum;
    double sum_of_magnitudes;
    std::array<float, 4> first;
    std::array<float, 3> last;
};

void expect_golden(const at::Tensor& x, const Golden& golden) {
    const at::Tensor flat = x.contiguous().flatten();
    const auto count = flat.numel();
    EXPECT_NEAR(flat.sum(at::kDouble).item<double>(), golden.sum, 1e-2);
    EXPECT_NEAR(flat.abs().sum(at::kDouble).item<double>(), golden.sum_of_magnitudes, 1e-2);
    for (int i = 0; i < 4; ++i) {
        EXPECT_NEAR(flat[i].item<float>(), golden.first.at(static_cast<std::size_t>(i)), 1e-4);
    }
    for (int i = 0; i < 3; ++i) {
        EXPECT_NEAR(
            flat[count - 3 + i].item<float>(), golden.last.at(static_cast<std::size_t>(i)), 1e-4);
    }
}

TEST(HashedWeights, are_those_of_the_golden_vectors) {
    const at::Tensor zeroth = hashed(0, {4});
    const at::Tensor seventh = hashed(7, {3});

    EXPECT_NEAR(zeroth[0].item<double>(), -0.487983004, 1e-9);
    EXPECT_NEAR(zeroth[3].item<double>(), -0.367901051, 1e-9);
    EXPECT_NEAR(seventh[2].item<double>(), 0.063255042, 1e-9);
}

TEST(WanVae, encodes_the_golden_vector) {
    const at::Tensor latent = small_codec()->encode(hashed_input(5, {1, 3, 9, 16, 16}), {});

    ASSERT_EQ(latent.sizes(), at::IntArrayRef({1, 4, 3, 2, 2}));
    expect_golden(latent,
                  {2.00062,
                   23.90903,
                   {-0.668800F, -0.494427F, 0.032617F, -0.627052F},
                   {0.787530F, -0.813248F, 0.632044F}});
}

TEST(WanVae, decodes_the_golden_vector) {
    const VaeConfig config = config_of(small_config);
    const VaeDecoder decoder(config, weight_set(config));
    const at::Tensor latent = hashed_input(6, {1, 4, 3, 2, 2});
    const Bands bands(*one_rank().replica, latent.size(3));
    StreamState state(bands);
    std::vector<at::Tensor> chunks;
    for (std::int64_t f = 0; f < 3; ++f) {
        chunks.push_back(decoder(latent.select(2, f), state));
    }

    const at::Tensor video = at::cat(chunks, 2);

    ASSERT_EQ(video.sizes(), at::IntArrayRef({1, 3, 9, 16, 16}));
    expect_golden(video,
                  {644.51368,
                   5712.93120,
                   {-0.680055F, -0.328706F, -0.169461F, 0.007934F},
                   {-0.746135F, -1.079213F, 0.669105F}});
}

TEST(WanVae, hands_out_clamped_frames_as_they_become_ready) {
    const std::vector<at::Tensor> chunks =
        decoded_chunks(*small_codec(), hashed_input(6, {1, 4, 3, 2, 2}));

    ASSERT_EQ(chunks.size(), 3U);
    EXPECT_EQ(chunks[0].sizes(), at::IntArrayRef({1, 3, 1, 16, 16}));
    EXPECT_EQ(chunks[1].sizes(), at::IntArrayRef({1, 3, 4, 16, 16}));
    EXPECT_NEAR(chunks[0].flatten()[0].item<float>(), -0.680055F, 1e-4);
    EXPECT_EQ(chunks[2].max().item<float>(), 1.0F);
    EXPECT_EQ(chunks[2].min().item<float>(), -1.0F);
}

TEST(WanVae, ends_when_the_consumer_does_not_want_to_go_on) {
    std::int64_t chunks = 0;

    small_codec()->decode(hashed_input(6, {1, 4, 3, 2, 2}), {}, [&](const at::Tensor& /*frames*/) {
        return ++chunks < 2;
    });

    EXPECT_EQ(chunks, 2);
}

TEST(WanVae, encodes_the_start_of_a_video_as_if_nothing_followed) {
    const auto codec = small_codec();
    const at::Tensor video = hashed_input(1, {1, 3, 17, 16, 24});

    const at::Tensor whole = codec->encode(video, {});

    ASSERT_EQ(whole.sizes(), at::IntArrayRef({1, 4, 5, 2, 3}));
    EXPECT_TRUE(at::equal(codec->encode(video.narrow(2, 0, 5), {}), whole.narrow(2, 0, 2)));
    EXPECT_TRUE(at::equal(codec->encode(video.narrow(2, 0, 1), {}), whole.narrow(2, 0, 1)));
    // Frames beyond 4k + 1 have no part in it.
    EXPECT_TRUE(at::equal(codec->encode(video.narrow(2, 0, 8), {}), whole.narrow(2, 0, 2)));
}

TEST(WanVae, decodes_the_start_of_a_latent_as_if_nothing_followed) {
    const auto codec = small_codec();
    const at::Tensor latent = hashed_input(2, {1, 4, 5, 3, 2});

    const at::Tensor whole = decoded(*codec, latent);

    ASSERT_EQ(whole.sizes(), at::IntArrayRef({1, 3, 17, 24, 16}));
    EXPECT_TRUE(at::equal(decoded(*codec, latent.narrow(2, 0, 2)), whole.narrow(2, 0, 5)));
}

TEST(WanVae, treats_the_items_of_a_batch_alike) {
    const auto codec = small_codec();
    const at::Tensor latent = hashed_input(2, {2, 4, 2, 3, 2});
    const at::Tensor video = hashed_input(3, {2, 3, 5, 16, 24});

    const at::Tensor frames = decoded(*codec, latent);
    const at::Tensor latents = codec->encode(video, {});

    for (std::int64_t b = 0; b < 2; ++b) {
        EXPECT_TRUE(at::equal(decoded(*codec, latent.narrow(0, b, 1)), frames.narrow(0, b, 1)));
        EXPECT_TRUE(at::equal(codec->encode(video.narrow(0, b, 1), {}), latents.narrow(0, b, 1)));
    }
}

TEST(WanVae, gives_the_same_bits_on_one_and_on_two_threads) {
    const auto codec = small_codec();
    const at::Tensor latent = hashed_input(2, {1, 4, 3, 6, 10});
    const at::Tensor video = hashed_input(3, {1, 3, 5, 48, 80});
    const int threads = at::get_num_threads();
    at::set_num_threads(1);
    const at::Tensor frames = decoded(*codec, latent);
    const at::Tensor encoded = codec->encode(video, {});
    at::set_num_threads(2);

    const at::Tensor frames_of_two = decoded(*codec, latent);
    const at::Tensor encoded_by_two = codec->encode(video, {});

    at::set_num_threads(threads);
    EXPECT_TRUE(at::equal(frames, frames_of_two));
    EXPECT_TRUE(at::equal(encoded, encoded_by_two));
}

TEST(WanVae, tiles_only_what_is_larger_than_a_tile) {
    const auto codec = small_codec();
    const TilingOptions tiling{.enabled = true, .tile_size = 32, .tile_stride = 16};
    const at::Tensor latent = hashed_input(2, {1, 4, 2, 4, 4});
    const at::Tensor video = hashed_input(3, {1, 3, 5, 32, 32});

    EXPECT_TRUE(at::equal(decoded(*codec, latent, tiling), decoded(*codec, latent)));
    EXPECT_TRUE(at::equal(codec->encode(video, tiling), codec->encode(video, {})));
}

TEST(WanVae, starts_a_tiled_video_with_the_untouched_part_of_its_first_tile) {
    const auto codec = small_codec();
    const TilingOptions tiling{.enabled = true, .tile_size = 32, .tile_stride = 24};
    const at::Tensor latent = hashed_input(2, {1, 4, 3, 5, 7});

    const std::vector<at::Tensor> chunks = decoded_chunks(*codec, latent, tiling);

    ASSERT_EQ(chunks.size(), 3U);
    const at::Tensor video = at::cat(chunks, 2);
    ASSERT_EQ(video.sizes(), at::IntArrayRef({1, 3, 9, 40, 56}));
    const at::Tensor corner = decoded(*codec, latent.narrow(3, 0, 4).narrow(4, 0, 4));
    EXPECT_TRUE(at::equal(video.narrow(3, 0, 24).narrow(4, 0, 24),
                          corner.narrow(3, 0, 24).narrow(4, 0, 24)));
}

TEST(WanVae, refuses_a_tile_stride_that_leaves_gaps) {
    const auto codec = small_codec();
    const TilingOptions tiling{.enabled = true, .tile_size = 32, .tile_stride = 40};

    EXPECT_THROW(decoded(*codec, hashed_input(2, {1, 4, 1, 8, 8}), tiling), Error);
}

TEST(WanVae, normalises_with_mean_and_deviation_of_each_channel) {
    const auto codec = small_codec();
    const at::Tensor ones = at::ones({1, 4, 1, 1, 1});

    EXPECT_TRUE(
        at::equal(codec->denormalise(ones).flatten(), at::tensor({2.5F, -0.5F, 1.0F, 6.0F})));
    EXPECT_TRUE(
        at::equal(codec->normalise(ones).flatten(), at::tensor({0.25F, 4.0F, 1.0F, -0.25F})));
}

TEST(WanVae, needs_only_the_weights_of_the_half_that_is_used) {
    const VaeConfig config = config_of(small_config);
    std::map<std::string, at::Tensor> weights = golden_weights(config);
    std::erase_if(weights, [](const auto& item) {
        return item.first.starts_with("encoder.") || item.first.starts_with("quant_conv.");
    });
    const auto codec = make_vae_codec(config, store::WeightSet("vae", weights), one_rank());

    EXPECT_EQ(decoded(*codec, hashed_input(6, {1, 4, 1, 2, 2})).size(4), 16);
    try {
        (void)codec->encode(hashed_input(5, {1, 3, 1, 16, 16}), {});
        FAIL() << "encoded without an encoder";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::internal);
    }
}

TEST(WanVae, refuses_inputs_of_another_shape) {
    const auto codec = small_codec();

    EXPECT_THROW(decoded(*codec, at::zeros({1, 3, 1, 2, 2})), Error);
    EXPECT_THROW((void)codec->encode(at::zeros({1, 3, 1, 4, 16}), {}), Error);
    EXPECT_THROW((void)codec->encode(at::zeros({1, 3, 16, 16}), {}), Error);
}

std::map<std::string, std::vector<std::int64_t>> shapes_of(const VaeConfig& config) {
    std::map<std::string, std::vector<std::int64_t>> shapes;
    for (const TensorSpec& spec : describe_vae(config).tensors) {
        EXPECT_EQ(spec.precision, Precision::keep_float32) << spec.name;
        shapes[spec.name] = spec.shape;
    }
    return shapes;
}

TEST(WanVaeSpec, lists_the_tensors_of_the_published_model) {
    using Shape = std::vector<std::int64_t>;

    const auto shapes = shapes_of(config_of("{}"));

    EXPECT_EQ(shapes.size(), 194U);
    EXPECT_EQ(shapes.at("quant_conv.weight"), (Shape{32, 32, 1, 1, 1}));
    EXPECT_EQ(shapes.at("encoder.conv_in.weight"), (Shape{96, 3, 3, 3, 3}));
    EXPECT_EQ(shapes.at("encoder.down_blocks.3.conv_shortcut.weight"), (Shape{192, 96, 1, 1, 1}));
    EXPECT_EQ(shapes.at("encoder.down_blocks.8.time_conv.weight"), (Shape{384, 384, 3, 1, 1}));
    EXPECT_EQ(shapes.at("decoder.mid_block.attentions.0.to_qkv.weight"), (Shape{1152, 384, 1, 1}));
    EXPECT_EQ(shapes.at("decoder.up_blocks.0.upsamplers.0.time_conv.weight"),
              (Shape{768, 384, 3, 1, 1}));
    EXPECT_EQ(shapes.at("decoder.up_blocks.1.resnets.0.conv_shortcut.bias"), (Shape{384}));
    EXPECT_EQ(shapes.at("decoder.up_blocks.2.upsamplers.0.resample.1.weight"),
              (Shape{96, 192, 3, 3}));
    EXPECT_EQ(shapes.at("decoder.conv_out.weight"), (Shape{3, 96, 3, 3, 3}));
}

TEST(WanVaeSpec, follows_another_config) {
    using Shape = std::vector<std::int64_t>;

    const auto shapes = shapes_of(config_of(
        R"({"base_dim": 6, "decoder_base_dim": 10, "z_dim": 5, "dim_mult": [1, 2, 3],
            "num_res_blocks": 1, "temperal_downsample": [true, false], "in_channels": 4})"));

    EXPECT_EQ(shapes.at("encoder.conv_in.weight"), (Shape{6, 4, 3, 3, 3}));
    EXPECT_EQ(shapes.at("encoder.down_blocks.1.time_conv.weight"), (Shape{6, 6, 3, 1, 1}));
    EXPECT_EQ(shapes.count("encoder.down_blocks.3.time_conv.weight"), 0U);
    EXPECT_EQ(shapes.at("encoder.conv_out.weight"), (Shape{10, 18, 3, 3, 3}));
    EXPECT_EQ(shapes.at("decoder.conv_in.weight"), (Shape{30, 5, 3, 3, 3}));
    EXPECT_EQ(shapes.count("decoder.up_blocks.0.upsamplers.0.time_conv.weight"), 0U);
    EXPECT_EQ(shapes.at("decoder.up_blocks.1.resnets.0.conv1.weight"), (Shape{20, 15, 3, 3, 3}));
    EXPECT_EQ(shapes.at("decoder.up_blocks.1.upsamplers.0.time_conv.weight"),
              (Shape{40, 20, 3, 1, 1}));
}

TEST(WanVaeConfig, names_what_it_cannot_use) {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {R"({"is_residual": true})", "'is_residual' is true"},
        {R"({"patch_size": 2})", "'patch_size' is 2"},
        {R"({"_class_name": "AutoencoderKL"})", "'_class_name' is \"AutoencoderKL\""},
        {R"({"base_dim": 0})", "'base_dim' is 0"},
        {R"({"base_dim": 4611686018427387904})", "'base_dim' is 4611686018427387904"},
        {R"({"z_dim": "16"})", "'z_dim' is \"16\""},
        {R"({"dim_mult": []})", "'dim_mult' is []"},
        {R"({"dim_mult": [1, -2]})", "'dim_mult' is [1,-2]"},
        {R"({"temperal_downsample": [true]})", "'temperal_downsample' is [true]"},
        {R"({"temperal_downsample": [0, 1, 1]})", "'temperal_downsample' is [0,1,1]"},
        {R"({"latents_std": [1, 0]})", "'latents_std' is [1,0]"},
        {R"([])", "JSON object"},
    };
    for (const auto& [json, message] : cases) {
        try {
            (void)config_of(json);
            ADD_FAILURE() << "accepted " << json;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::input);
            EXPECT_THAT(error.message(), HasSubstr("vae/config.json"));
            EXPECT_THAT(error.message(), HasSubstr(message));
        }
    }
}

TEST(WanVaeConfig, says_when_the_statistics_do_not_fit_the_latent) {
    const VaeConfig config = config_of(R"({"z_dim": 4})");
    const auto codec = make_vae_codec(config, {}, one_rank());

    EXPECT_THROW((void)codec->normalise(at::ones({1, 4, 1, 1, 1})), Error);
}

}  // namespace
}  // namespace reelyard::models::wan
