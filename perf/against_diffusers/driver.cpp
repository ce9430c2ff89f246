#include <ctime>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <nlohmann/json.hpp>

#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/models/model_family.hpp"
#include "reelyard/mpi/session.hpp"
#include "reelyard/pipeline/decode_stage.hpp"
#include "reelyard/pipeline/denoise_stage.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/store/tensor_file.hpp"
#include "reelyard/store/weight_loader.hpp"

// reelyard_perf_driver STORE DTYPE: holds a model in memory and computes what it is asked for, one
// line of JSON in, one out: {"seconds": ..., "cpu_seconds": ...}, what the computation took without
// reading and writing.
// The result is left as tensor "result" in the file that the request names. compare.py talks to it.
namespace reelyard::perf {
namespace {

using Json = nlohmann::json;

/// Takes frames and forgets them.
class NoSink final : public media::FrameSink {
public:
    void write(const media::FrameView& /*frames*/) override {}
    std::vector<std::filesystem::path> finish() override { return {}; }
};

/// What a computation took: on the clock, and of all cores together.
struct Cost {
    double seconds = 0.0;
    double cpu_seconds = 0.0;
};

class CostMeter {
public:
    [[nodiscard]] Cost cost() const {
        const auto ticks = static_cast<double>(std::clock() - begin_);
        return {watch_.seconds(), ticks / static_cast<double>(CLOCKS_PER_SEC)};
    }

private:
    Stopwatch watch_;
    std::clock_t begin_ = std::clock();
};

struct Measured {
    Cost cost;
    at::Tensor result;
};

class Driver {
public:
    Driver(const store::StoreFile& file, DType dtype, const mpi::Communicator& world)
        : family_(models::family_of(file.config()))
        , model_(family_.describe(file.config())) {
        const auto load = [&](const std::string& component, DType type) {
            return store::load_component(
                       file, model_.component(component), world, {.compute = type})
                .weights;
        };
        const auto whole = [&](const std::string& component) {
            return store::LoadedWeights{
                .weights = load(component, dtype), .blocks = {}, .report = {}};
        };
        conditioner_ =
            family_.make_conditioner(file.config(), whole("text_encoder"), dtype, group_);
        transformer_ = family_.make_transformer(file.config(), whole("transformer"), dtype, group_);
        codec_ = family_.make_codec(file.config(), load("vae", DType::float32), group_);
    }

    [[nodiscard]] Measured answer(const Json& request) {
        static const std::map<std::string, Measured (Driver::*)(const Json&)> table{
            {"text_encoder", &Driver::text_encoder},
            {"transformer", &Driver::transformer},
            {"vae_decode", &Driver::vae_decode},
            {"end_to_end", &Driver::end_to_end}};
        const auto found = table.find(request.at("do"));
        require(found != table.end(), ErrorKind::usage, "unknown request: {}", request.dump());
        return (this->*found->second)(request);
    }

private:
    Measured text_encoder(const Json& request) {
        const CostMeter meter;
        const models::Conditioning encoded = conditioner_->encode(request.at("text"));
        const Cost cost = meter.cost();
        const at::Tensor& rows = encoded.tensors.at("context");
        return {cost, at::constant_pad_nd(rows, {0, 0, 0, 512 - rows.size(1)})};
    }

    Measured transformer(const Json& request) {
        const auto tensors = store::read_tensors(request.at("in").get<std::string>());
        const models::Conditioning prepared =
            transformer_->prepare({{{"context", tensors.at("context")}}});
        const CostMeter meter;
        const at::Tensor velocity =
            transformer_->velocity(tensors.at("latent"), tensors.at("timestep"), prepared);
        return {meter.cost(), velocity};
    }

    Measured vae_decode(const Json& request) {
        const auto tensors = store::read_tensors(request.at("in").get<std::string>());
        std::vector<at::Tensor> frames;
        const CostMeter meter;
        codec_->decode(tensors.at("latent"), {}, [&](const at::Tensor& chunk) {
            frames.push_back(chunk);
            return true;
        });
        return {meter.cost(), at::cat(frames, 2)};
    }

    Measured end_to_end(const Json& request) {
        const Task task{.id = "video",
                        .prompt = request.at("prompt"),
                        .negative_prompt = request.at("negative"),
                        .seed = request.at("seed"),
                        .size = {request.at("width"), request.at("height"), request.at("frames")},
                        .steps = request.at("steps"),
                        .guidance_scale = request.at("guidance"),
                        .flow_shift = request.at("shift"),
                        .sampler = "unipc",
                        .sigma_schedule = "diffusers"};
        NoSink sink;
        const CostMeter meter;
        const pipeline::TaskConditioning conditioning{
            .prompt = conditioner_->encode(task.prompt),
            .negative = conditioner_->encode(task.negative_prompt)};
        const at::Tensor latent =
            pipeline::DenoiseStage(*transformer_, model_, c10::Device(c10::kCPU), group_)
                .run(task, conditioning, [](const StepProgress&) { return StepAnswer::go_on; });
        const pipeline::DecodedVideo video =
            pipeline::DecodeStage(*codec_, {}).run(latent, {.sink = &sink, .keep_frames = true});
        return {meter.cost(), video.frames};
    }

    const parallel::VideoGroup group_ = parallel::make_single_rank_group();
    const models::ModelFamily& family_;
    ModelSpec model_;
    std::unique_ptr<models::Conditioner> conditioner_;
    std::unique_ptr<models::Transformer> transformer_;
    std::unique_ptr<models::VideoCodec> codec_;
};

void serve(Driver& driver) {
    const c10::InferenceMode inference;
    std::cout << Json{{"threads", at::get_num_threads()}} << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        const Json request = Json::parse(line);
        const Measured measured = driver.answer(request);
        store::write_tensors(request.at("out").get<std::string>(),
                             {{"result", measured.result.to(at::kFloat).contiguous()}});
        std::cout << Json{{"seconds", measured.cost.seconds},
                          {"cpu_seconds", measured.cost.cpu_seconds}}
                  << std::endl;
    }
}

}  // namespace
}  // namespace reelyard::perf

int main(int argc, char** argv) {
    using namespace reelyard;
    try {
        const mpi::Session session(&argc, &argv);
        require(argc == 3, ErrorKind::usage, "expected: reelyard_perf_driver STORE DTYPE");
        const auto dtype = dtype_from_string(argv[2]);
        require(dtype.has_value(), ErrorKind::usage, "unknown dtype '{}'", argv[2]);
        perf::Driver driver(
            store::StoreFile::open(argv[1], session.world()), *dtype, session.world());
        perf::serve(driver);
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
    return 0;
}
