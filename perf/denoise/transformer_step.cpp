#include <memory>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>
#include <c10/core/InferenceMode.h>

#include "reelyard/models/model_family.hpp"

#include "random_model.hpp"

namespace reelyard::perf {
namespace {

/// One velocity of one branch at 480x272. \param state range(0): frames
void transformer_step(benchmark::State& state, DType dtype) {
    const c10::InferenceMode inference;
    const CheckpointConfig config = mid_size_wan();
    const models::ModelFamily& family = models::family_of(config);
    const ModelSpec model = family.describe(config);
    const parallel::VideoGroup alone = parallel::make_single_rank_group();
    const auto transformer = family.make_transformer(
        config,
        {.weights = random_weights(model, "transformer", dtype), .blocks = {}, .report = {}},
        dtype,
        alone);
    at::Tensor context = at::randn({1, 512, 512});
    context.slice(1, 25).zero_();
    const models::Conditioning prepared = transformer->prepare({{{"context", context}}});
    const at::Tensor latent = at::randn({1, 16, (state.range(0) - 1) / 4 + 1, 34, 60});
    const at::Tensor timestep = at::full({1}, 875.0);
    benchmark::DoNotOptimize(transformer->velocity(latent, timestep, prepared));  // packs weights
    for (auto _ : state) {
        benchmark::DoNotOptimize(transformer->velocity(latent, timestep, prepared));
    }
}

BENCHMARK_CAPTURE(transformer_step, float32, DType::float32)
    ->ArgName("frames")
    ->Arg(1)
    ->Arg(17)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(transformer_step, bfloat16, DType::bfloat16)
    ->ArgName("frames")
    ->Arg(1)
    ->Arg(17)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace reelyard::perf
