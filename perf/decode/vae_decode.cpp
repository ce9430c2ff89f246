#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include "reelyard/models/model_family.hpp"

#include "random_model.hpp"

namespace reelyard::perf {
namespace {

/// The VAE of the published models, a latent of range(0) x range(1) pixels and range(2) frames.
void vae_decode(benchmark::State& state) {
    const c10::InferenceMode inference;
    const CheckpointConfig config = mid_size_wan();
    const models::ModelFamily& family = models::family_of(config);
    const ModelSpec model = family.describe(config);
    const parallel::VideoGroup group = parallel::make_single_rank_group();
    const auto codec =
        family.make_codec(config, random_weights(model, "vae", DType::float32), group);
    const at::Tensor latent =
        at::randn({1, 16, (state.range(2) - 1) / 4 + 1, state.range(1) / 8, state.range(0) / 8});
    for (auto _ : state) {
        codec->decode(latent, {}, [](const at::Tensor& frames) {
            benchmark::DoNotOptimize(frames);
            return true;
        });
    }
}

BENCHMARK(vae_decode)
    ->ArgNames({"width", "height", "frames"})
    ->Args({240, 144, 1})
    ->Args({240, 144, 5})
    ->Args({480, 272, 5})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace reelyard::perf
