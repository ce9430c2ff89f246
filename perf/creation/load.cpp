#include <filesystem>
#include <fstream>

#include <ATen/ATen.h>
#include <benchmark/benchmark.h>

#include "reelyard/models/model_family.hpp"
#include "reelyard/store/checkpoint/checkpoint_importer.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/store/tensor_file.hpp"
#include "reelyard/store/weight_loader.hpp"

#include "benchmark_world.hpp"
#include "random_model.hpp"

namespace reelyard::perf {
namespace {

/// A random mid-size checkpoint in a folder of its own, and the store made from it.
class StoredModel {
public:
    StoredModel()
        : folder_(std::filesystem::temp_directory_path() / "reelyard_perf_store")
        , config_(mid_size_wan())
        , model_(models::family_of(config_).describe(config_)) {
        for (const ComponentSpec& component : model_.components) {
            write_component(component.name);
        }
        store::import_checkpoint({.checkpoint = folder_, .output = store()},
                                 config_,
                                 model_,
                                 benchmark_world(),
                                 [](std::int64_t, std::int64_t) {});
    }
    StoredModel(const StoredModel&) = delete;
    StoredModel& operator=(const StoredModel&) = delete;
    ~StoredModel() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    [[nodiscard]] std::filesystem::path store() const { return folder_ / "model.h5"; }
    [[nodiscard]] const ModelSpec& model() const { return model_; }

private:
    void write_component(const std::string& name) const {
        const store::WeightSet weights = random_weights(model_, name, DType::float32);
        std::map<std::string, at::Tensor> tensors;
        for (const std::string& tensor : weights.names()) {
            tensors[tensor] = weights.get(tensor);
        }
        const char* file =
            name == "text_encoder" ? "model.safetensors" : "diffusion_pytorch_model.safetensors";
        std::filesystem::create_directories(folder_ / name);
        store::write_tensors(folder_ / name / file, tensors);
    }

    std::filesystem::path folder_;
    CheckpointConfig config_;
    ModelSpec model_;
};

/// All components from the page cache into memory. \param dtype stored float32 becomes this
void load(benchmark::State& state, DType dtype) {
    const StoredModel stored;
    std::int64_t bytes = 0;
    for (auto _ : state) {
        const auto file = store::StoreFile::open(stored.store(), benchmark_world());
        for (const ComponentSpec& component : stored.model().components) {
            const store::LoadedWeights loaded =
                store::load_component(file, component, benchmark_world(), {.compute = dtype});
            bytes += loaded.report.bytes_read;
        }
    }
    state.SetBytesProcessed(bytes);
}

BENCHMARK_CAPTURE(load, float32, DType::float32)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(load, to_bfloat16, DType::bfloat16)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace reelyard::perf
