#include "reelyard/pipeline/decode_stage.hpp"

#include <map>
#include <string>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"
#include "reelyard/parallel/video_group.hpp"

#include "wan/vae/codec.hpp"
#include "wan/vae/spec.hpp"

#include "reelyard/test/shared_folder.hpp"

namespace reelyard::pipeline {
namespace {

/// A disk that is full after the first frames.
class SmallDisk final : public media::FrameSink {
public:
    void write(const media::FrameView& frames) override {
        require(written == 0, ErrorKind::storage, "video: no space left on device");
        written += frames.frames;
    }
    std::vector<std::filesystem::path> finish() override { return {}; }

    std::int64_t written = 0;
};

std::unique_ptr<models::VideoCodec> tiny_codec(const parallel::VideoGroup& group) {
    CheckpointConfig checkpoint;
    checkpoint.files["vae/config.json"] =
        R"({"base_dim": 4, "z_dim": 2, "dim_mult": [1, 2], "num_res_blocks": 1,
            "temperal_downsample": [true], "scale_factor_spatial": 2,
            "latents_mean": [0, 0], "latents_std": [1, 1]})";
    const models::wan::VaeConfig config = models::wan::parse_vae_config(checkpoint);
    std::map<std::string, at::Tensor> weights;
    for (const TensorSpec& spec : models::wan::describe_vae(config).tensors) {
        weights[spec.name] = at::full(spec.shape, 0.1F);
    }
    return models::wan::make_vae_codec(config, store::WeightSet("vae", weights), group);
}

TEST(DecodeStage, full_disk_of_the_first_rank_leaves_no_other_waiting) {
    const mpi::Communicator world = test::world();
    const parallel::ProcessGrid grid(world, {.ulysses = world.size()});
    const parallel::VideoGroup group = parallel::make_video_group(grid, 60.0);
    const auto codec = tiny_codec(group);
    SmallDisk disk;
    const bool is_first = world.rank() == 0;
    const DecodeStage stage(*codec, {});
    const at::Tensor latent = at::ones({1, 2, 4, 5, 3});

    const DecodedVideo video = stage.run(latent, {.sink = is_first ? &disk : nullptr});

    EXPECT_EQ(disk.written, is_first ? 1 : 0);
    EXPECT_EQ(static_cast<bool>(video.sink_failure), is_first);
    // The group is as good as before.
    SmallDisk empty_disk;
    const DecodedVideo frame =
        stage.run(latent.narrow(2, 0, 1), {.sink = is_first ? &empty_disk : nullptr});
    EXPECT_FALSE(frame.sink_failure);
    EXPECT_EQ(empty_disk.written, is_first ? 1 : 0);
}

}  // namespace
}  // namespace reelyard::pipeline
