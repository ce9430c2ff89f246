#include "reelyard/pipeline/denoise_stage.hpp"

#include <cmath>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "reelyard/base/error.hpp"
#include "reelyard/samplers/initial_noise.hpp"
#include "reelyard/samplers/sampler.hpp"

namespace reelyard::pipeline {
namespace {

/// A transformer whose velocity is the number it was conditioned on.
class ConstantVelocity final : public models::Transformer {
public:
    models::Conditioning batch(const std::vector<models::Conditioning>& texts) const override {
        std::vector<at::Tensor> values;
        for (const models::Conditioning& text : texts) {
            values.push_back(text.tensors.at("value").view({1, 1, 1, 1, 1}));
        }
        return {{{"value", at::cat(values)}}};
    }

    models::Conditioning prepare(const models::Conditioning& conditioning) const override {
        return conditioning;
    }

    at::Tensor velocity(const at::Tensor& latent,
                        const at::Tensor& timestep,
                        const models::Conditioning& prepared) override {
        ++calls;
        times.push_back(timestep[0].item<float>());
        return at::ones_like(latent) * prepared.tensors.at("value");
    }

    int calls = 0;
    std::vector<float> times;
};

models::Conditioning conditioned_on(float value) {
    return {{{"value", at::scalar_tensor(value)}}};
}

Task example() {
    return {.id = "a",
            .seed = 7,
            .size = {.width = 32, .height = 48, .frames = 9},
            .steps = 4,
            .guidance_scale = 3.0,
            .flow_shift = 5.0,
            .sampler = "euler",
            .sigma_schedule = "official"};
}

StepAnswer always_on(const StepProgress& /*progress*/) {
    return StepAnswer::go_on;
}

class DenoiseStageTest : public testing::Test {
protected:
    ConstantVelocity transformer_;
    parallel::VideoGroup alone_ = parallel::make_single_rank_group();
    DenoiseStage stage_{transformer_, ModelSpec{}, at::kCPU, alone_};
};

TEST_F(DenoiseStageTest, latent_has_the_compressed_shape_of_the_video) {
    EXPECT_EQ(latent_shape(ModelSpec{}, {.width = 832, .height = 480, .frames = 81}),
              (std::vector<std::int64_t>{1, 16, 21, 60, 104}));
    EXPECT_EQ(latent_shape(ModelSpec{}, {.width = 64, .height = 16, .frames = 1}),
              (std::vector<std::int64_t>{1, 16, 1, 2, 8}));
}

TEST_F(DenoiseStageTest, guidance_goes_beyond_the_prompt_away_from_the_negative) {
    const at::Tensor latent = stage_.run(
        example(), {.prompt = conditioned_on(2), .negative = conditioned_on(1)}, always_on);

    // Euler over a constant velocity v is exact: x = noise - sigma_0 v, with v = 1 + 3 (2 - 1).
    const auto schedule =
        samplers::make_sampler("euler", {.steps = 4, .flow_shift = 5.0})->schedule();
    const at::Tensor expected =
        samplers::initial_noise({1, 16, 3, 6, 4}, 7) - schedule.sigmas.front() * 4.0;
    EXPECT_TRUE(at::allclose(latent, expected, 1e-5, 1e-5));
    EXPECT_EQ(transformer_.calls, 8);
}

TEST_F(DenoiseStageTest, both_branches_as_one_batch_take_half_the_passes) {
    const DenoiseStage batched(transformer_, ModelSpec{}, at::kCPU, alone_, BranchOrder::batched);
    const TaskConditioning texts{.prompt = conditioned_on(2), .negative = conditioned_on(1)};

    const at::Tensor latent = batched.run(example(), texts, always_on);

    EXPECT_EQ(transformer_.calls, 4);
    EXPECT_TRUE(at::equal(latent, stage_.run(example(), texts, always_on)));
}

TEST_F(DenoiseStageTest, without_guidance_the_negative_branch_is_never_computed) {
    Task task = example();
    task.guidance_scale = 1.0;

    (void)stage_.run(task, {.prompt = conditioned_on(2), .negative = {}}, always_on);

    EXPECT_EQ(transformer_.calls, 4);
}

TEST_F(DenoiseStageTest, the_model_is_told_the_times_of_the_schedule) {
    Task task = example();
    task.guidance_scale = 1.0;

    (void)stage_.run(task, {.prompt = conditioned_on(0), .negative = {}}, always_on);

    EXPECT_EQ(
        transformer_.times,
        samplers::make_sampler("euler", {.steps = 4, .flow_shift = 5.0})->schedule().timesteps);
}

TEST_F(DenoiseStageTest, observer_sees_each_step_and_may_end_the_task) {
    std::vector<std::int64_t> seen;
    const auto observer = [&](const StepProgress& progress) {
        seen.push_back(progress.step);
        return progress.step == 2 ? StepAnswer::stop : StepAnswer::go_on;
    };

    try {
        (void)stage_.run(
            example(), {.prompt = conditioned_on(2), .negative = conditioned_on(1)}, observer);
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::stopped);
        EXPECT_NE(error.message().find("step 2 of 4"), std::string::npos);
    }
    EXPECT_EQ(seen, (std::vector<std::int64_t>{1, 2}));
}

TEST_F(DenoiseStageTest, a_value_that_is_not_finite_fails_the_task_at_that_step) {
    try {
        (void)stage_.run(
            example(), {.prompt = conditioned_on(NAN), .negative = conditioned_on(1)}, always_on);
        FAIL() << "nothing was thrown";
    } catch (const Error& error) {
        EXPECT_NE(error.message().find("not finite after step 1 of 4"), std::string::npos);
    }
}

TEST_F(DenoiseStageTest, seeds_decide_the_result) {
    const auto latent_of = [&](std::uint64_t seed) {
        Task task = example();
        task.seed = seed;
        return stage_.run(
            task, {.prompt = conditioned_on(2), .negative = conditioned_on(1)}, always_on);
    };

    EXPECT_TRUE(at::equal(latent_of(1), latent_of(1)));
    EXPECT_FALSE(at::equal(latent_of(1), latent_of(2)));
}

}  // namespace
}  // namespace reelyard::pipeline
