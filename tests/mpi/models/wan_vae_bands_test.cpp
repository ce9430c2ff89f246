#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include "reelyard/base/format.hpp"
#include "reelyard/parallel/video_group.hpp"

#include "wan/vae/codec.hpp"
#include "wan/vae/spec.hpp"

#include "reelyard/test/shared_folder.hpp"

// The VAE on all ranks of a group, compared bit by bit with one rank.
namespace reelyard::models::wan {
namespace {

/// The same on all ranks.
at::Tensor random(const std::vector<std::int64_t>& shape, std::uint64_t seed) {
    auto generator = at::make_generator<at::CPUGeneratorImpl>(seed);
    return at::randn(shape, generator, at::TensorOptions(at::kFloat));
}

VaeConfig config_of(const std::string& json) {
    CheckpointConfig checkpoint;
    checkpoint.files["vae/config.json"] = json;
    return parse_vae_config(checkpoint);
}

store::WeightSet random_weights(const VaeConfig& config) {
    std::map<std::string, at::Tensor> weights;
    std::uint64_t seed = 0;
    for (const TensorSpec& spec : describe_vae(config).tensors) {
        weights[spec.name] = 0.3 * random(spec.shape, seed++);
        if (spec.name.ends_with("gamma")) {
            weights[spec.name] += 1;
        }
    }
    return {"vae", weights};
}

/// Three levels, or four; with attention at a larger scale, too.
const std::vector<std::string> configs{
    R"({"base_dim": 6, "z_dim": 3, "dim_mult": [1, 2, 3], "num_res_blocks": 1,
        "attn_scales": [0.5], "temperal_downsample": [true, true], "scale_factor_spatial": 4,
        "latents_mean": [0, 0, 0], "latents_std": [1, 1, 1]})",
    R"({"base_dim": 8, "z_dim": 4, "dim_mult": [1, 2, 2, 2], "num_res_blocks": 1,
        "temperal_downsample": [false, true, true],
        "latents_mean": [0, 0, 0, 0], "latents_std": [1, 1, 1, 1]})"};

class VaeBands : public testing::TestWithParam<std::string> {
protected:
    static at::Tensor decoded(VideoCodec& codec,
                              const at::Tensor& latent,
                              const TilingOptions& tiling = {}) {
        std::vector<at::Tensor> chunks;
        codec.decode(latent, tiling, [&](const at::Tensor& frames) {
            chunks.push_back(frames);
            return true;
        });
        return chunks.empty() ? at::Tensor() : at::cat(chunks, 2);
    }

    /// Compares on the first rank, which alone gets the frames.
    void expect_same_frames(const at::Tensor& latent, const TilingOptions& tiling = {}) {
        const at::Tensor found = decoded(*codec_, latent, tiling);
        if (world_.rank() > 0) {
            EXPECT_FALSE(found.defined());
            return;
        }
        EXPECT_TRUE(at::equal(found, decoded(*one_rank_codec_, latent, tiling)));
    }

    void expect_same_latent(const at::Tensor& video, const TilingOptions& tiling = {}) {
        EXPECT_TRUE(
            at::equal(codec_->encode(video, tiling), one_rank_codec_->encode(video, tiling)));
    }

    const c10::InferenceMode inference_;
    const mpi::Communicator world_ = test::world();
    const parallel::ProcessGrid grid_{world_, {.ring = world_.size()}};
    const parallel::VideoGroup group_ = parallel::make_video_group(grid_, 60.0);
    const parallel::VideoGroup one_rank_ = parallel::make_single_rank_group();
    const VaeConfig config_ = config_of(GetParam());
    const store::WeightSet weights_ = random_weights(config_);
    const std::unique_ptr<VideoCodec> codec_ = make_vae_codec(config_, weights_, group_);
    const std::unique_ptr<VideoCodec> one_rank_codec_ =
        make_vae_codec(config_, weights_, one_rank_);
};

TEST_P(VaeBands, decode_to_the_same_bits_whatever_the_rows) {
    for (const std::int64_t rows : {1, 2, 5, 8, 11}) {
        SCOPED_TRACE(fmt::format("latent of {} rows", rows));

        expect_same_frames(random({1, config_.z_dim, 3, rows, 5}, 1));
    }
}

TEST_P(VaeBands, encode_to_the_same_bits_whatever_the_rows) {
    const std::int64_t scale = config_.scale_factor_spatial;
    for (const std::int64_t rows : {scale, 3 * scale + 1, 5 * scale - 1, 9 * scale + 3}) {
        SCOPED_TRACE(fmt::format("video of {} rows", rows));

        expect_same_latent(random({1, 3, 9, rows, 2 * scale + 3}, 2));
    }
}

TEST_P(VaeBands, serve_every_video_of_a_batch) {
    expect_same_frames(random({2, config_.z_dim, 2, 5, 3}, 3));
    expect_same_latent(random({2, 3, 5, 41, 24}, 4));
}

TEST_P(VaeBands, leave_tiles_to_the_ranks_in_turn) {
    const TilingOptions tiling{.enabled = true, .tile_size = 32, .tile_stride = 24};

    expect_same_frames(random({1, config_.z_dim, 2, 9, 14}, 5), tiling);
    expect_same_latent(random({1, 3, 5, 57, 83}, 6), tiling);
}

TEST_P(VaeBands, stop_together_when_the_first_rank_does_not_want_to_go_on) {
    const at::Tensor latent = random({1, config_.z_dim, 3, 5, 3}, 7);
    int chunks = 0;

    codec_->decode(latent, {}, [&](const at::Tensor& /*frames*/) { return ++chunks < 2; });

    EXPECT_EQ(chunks, world_.rank() == 0 ? 2 : 0);
    expect_same_frames(latent);
}

// docs/design/vae_bands.md: 2 W C n 4 bytes for each convolution of a rank between two others.
TEST(VaeBandsVolume, is_that_of_the_formula) {
    constexpr std::int64_t rows = 9;
    constexpr std::int64_t columns = 5;
    constexpr std::int64_t channels = 16;  // of the middle
    const c10::InferenceMode inference;
    const mpi::Communicator world = test::world();
    const parallel::ProcessGrid grid(world, {.ring = world.size()});
    const parallel::VideoGroup group = parallel::make_video_group(grid, 60.0);
    const VaeConfig config = config_of(configs.back());
    const auto codec = make_vae_codec(config, random_weights(config), group);
    const bool is_first = world.rank() == 0;

    codec->decode(
        random({1, config.z_dim, 3, rows, columns}, 8), {}, [](const at::Tensor&) { return true; });

    // C n w over the layers, w in columns of the latent, for the first latent frame and the others.
    const std::int64_t first =
        (4 + 8 * 16) + 16 + 2 * (8 + 3 * 16) + 2 * 16 + 4 * (8 + 3 * 16) + 4 * 16 + 8 * (4 * 8 + 8);
    const std::int64_t later = (4 + 8 * 16) + 2 * 16 + 2 * 2 * (8 + 3 * 16) + 2 * 4 * 16 +
                               4 * 4 * (8 + 3 * 16) + 4 * 4 * 16 + 8 * 4 * (4 * 8 + 8);
    const std::int64_t neighbours = (is_first ? 0 : 1) + (world.rank() + 1 < world.size() ? 1 : 0);
    const Interval own = shard_of(rows, 1, {.degree = world.size(), .index = world.rank()});
    const std::int64_t other_rows = rows - (own.end - own.begin);
    const std::int64_t frames = is_first ? 9 * 3 * 8 * other_rows * 8 * columns : 0;
    if (world.size() > 1) {
        const auto& volumes = group.replica->volumes();
        EXPECT_EQ(volumes.at("all-to-all").bytes,
                  4 * (neighbours * columns * (first + 2 * later) + frames));
        // Keys and values, and how many rows of them each rank has.
        EXPECT_EQ(volumes.at("all-gather").bytes,
                  3 * (4 * 2 * channels * other_rows * columns + 8 * (world.size() - 1)));
    }
}

INSTANTIATE_TEST_SUITE_P(wan, VaeBands, testing::ValuesIn(configs));

}  // namespace
}  // namespace reelyard::models::wan
