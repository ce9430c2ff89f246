#include "eval.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <limits>
#include <optional>
#include <sstream>
#include <utility>

#include <ATen/ATen.h>
#include <boost/program_options.hpp>
#include <c10/core/InferenceMode.h>

#include "reelyard/base/error.hpp"
#include "reelyard/device/device.hpp"
#include "reelyard/models/model_family.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/samplers/sampler.hpp"
#include "reelyard/spec/dtype.hpp"
#include "reelyard/store/store_file.hpp"
#include "reelyard/store/tensor_file.hpp"
#include "reelyard/store/weight_loader.hpp"

#include "../arguments.hpp"
#include "../run/compute_threads.hpp"

namespace reelyard::cli {
namespace {

namespace po = boost::program_options;

constexpr const char* sampler_component = "sampler";

struct EvalOptions {
    std::string component;
    std::filesystem::path store;
    std::filesystem::path in;
    std::filesystem::path out;
    std::string text;
    DType dtype = DType::float32;
    std::string device = "cpu";
    models::TilingOptions tiling;
    std::string sampler = "unipc";
    samplers::ScheduleOptions schedule;
    ParallelLayout layout;
    double timeout = 600.0;
    bool help = false;
};

/// Options and where their values go.
po::options_description describe(EvalOptions& options, std::string& dtype) {
    po::options_description known("options");
    // clang-format off
    known.add_options()
        ("component", po::value(&options.component)->value_name("COMPONENT"),
         "tokenizer, text_encoder, transformer, vae_encode, vae_decode or sampler")
        ("store", po::value<std::string>()->value_name("FILE"), "weight store (all but the sampler)")
        ("in", po::value<std::string>()->value_name("FILE"), "safetensors file with the inputs (all but the tokenizer)")
        ("out", po::value<std::string>()->value_name("FILE"), "safetensors file to write (required)")
        ("text", po::value(&options.text)->value_name("TEXT"), "what the tokenizer is given")
        ("dtype", po::value(&dtype)->default_value("float32")->value_name("TYPE"), "compute type: float32 or bfloat16")
        ("device", po::value(&options.device)->default_value("cpu")->value_name("DEVICE"),
         "cpu, cuda, cuda:N or auto")
        ("tiling", po::bool_switch(&options.tiling.enabled), "VAE: in overlapping tiles")
        ("tile-size", po::value(&options.tiling.tile_size)->default_value(options.tiling.tile_size)->value_name("N"),
         "side of a tile in pixels")
        ("tile-stride",
         po::value(&options.tiling.tile_stride)->default_value(options.tiling.tile_stride)->value_name("N"),
         "from tile to tile in pixels")
        ("sampler", po::value(&options.sampler)->default_value("unipc")->value_name("NAME"), "unipc, dpmpp or euler")
        ("steps", po::value(&options.schedule.steps)->value_name("N"), "sampler: steps [those of the velocity given]")
        ("shift", po::value(&options.schedule.flow_shift)->default_value(options.schedule.flow_shift)->value_name("S"),
         "sampler: flow shift")
        ("sigma-schedule",
         po::value(&options.schedule.sigma_schedule)->default_value("official")->value_name("NAME"),
         "sampler: official, diffusers or karras")
        ("parallel.ring", po::value(&options.layout.ring)->default_value(1)->value_name("N"),
         "transformer: ranks that keys and values travel around")
        ("parallel.ulysses", po::value(&options.layout.ulysses)->default_value(1)->value_name("N"),
         "transformer: ranks that trade tokens for attention heads")
        ("parallel.tensor", po::value(&options.layout.tensor)->default_value(1)->value_name("N"),
         "transformer and text encoder: ranks that share each layer's weights")
        ("parallel.shard_weights",
         po::value(&options.layout.shard_weights)->default_value(false)->value_name("true|false"),
         "transformer and text encoder: ranks that hold the same weights keep a part of each block")
        ("parallel.timeout", po::value(&options.timeout)->default_value(options.timeout)->value_name("SECONDS"),
         "how long ranks wait for one another")
        ("help", po::bool_switch(&options.help), "print this text");
    // clang-format on
    return known;
}

DType parse_dtype(const std::string& text) {
    const auto dtype = dtype_from_string(text);
    require(dtype == DType::float32 || dtype == DType::bfloat16,
            ErrorKind::usage,
            "--dtype is '{}' (expected float32 or bfloat16)",
            text);
    return *dtype;
}

EvalOptions parse(const std::vector<std::string>& arguments) {
    EvalOptions options;
    std::string dtype;
    const auto known = describe(options, dtype);
    const auto values = read_arguments("eval", known, "component", arguments);
    const auto path = [&](const char* name) {
        return values.count(name) > 0 ? std::filesystem::path(values[name].as<std::string>())
                                      : std::filesystem::path{};
    };
    options.store = path("store");
    options.in = path("in");
    options.out = path("out");
    options.schedule.steps = values.count("steps") > 0 ? options.schedule.steps : 0;
    options.dtype = parse_dtype(dtype);
    return options;
}

std::string help_text() {
    EvalOptions options;
    std::string dtype;
    std::ostringstream text;
    text << "Computes one component on given tensors, for parity checks and debugging.\n\n"
            "usage: reelyard eval COMPONENT --store M.h5 --in IN.safetensors --out OUT.safetensors "
            "[options]\n"
            "       reelyard eval sampler --in IN.safetensors --out OUT.safetensors [options]\n"
            "       reelyard eval tokenizer --store M.h5 --text TEXT --out OUT.safetensors\n\n"
            "The names and shapes of the tensors are in docs/user/eval.md.\n"
            "The VAE is computed by ring x ulysses x tensor ranks, each with a band of rows.\n\n"
         << describe(options, dtype);
    return text.str();
}

void require_path(const std::filesystem::path& path,
                  const char* option,
                  const std::string& component) {
    require(!path.empty(), ErrorKind::usage, "eval {}: --{} is missing", component, option);
}

const at::Tensor& tensor_of(const models::NamedTensors& tensors,
                            const char* name,
                            const std::filesystem::path& file) {
    const auto found = tensors.find(name);
    require(
        found != tensors.end(), ErrorKind::input, "{}: has no tensor '{}'", file.string(), name);
    return found->second;
}

/// All samples of a trajectory along given velocities.
models::NamedTensors evaluate_sampler(const EvalOptions& options) {
    const auto inputs = store::read_tensors(options.in);
    at::Tensor sample = tensor_of(inputs, "noise", options.in).to(at::kFloat);
    const at::Tensor velocity = tensor_of(inputs, "velocity", options.in).to(at::kFloat);
    auto schedule = options.schedule;
    schedule.steps =
        schedule.steps > 0 ? schedule.steps : (velocity.dim() > 0 ? velocity.size(0) : 0);
    require(velocity.dim() == sample.dim() + 1 && velocity.size(0) == schedule.steps &&
                velocity.sizes().slice(1) == sample.sizes(),
            ErrorKind::input,
            "{}: 'velocity' has shape {} (expected [{}, ...] with the shape {} of 'noise' behind)",
            options.in.string(),
            fmt::join(velocity.sizes(), "x"),
            schedule.steps,
            fmt::join(sample.sizes(), "x"));
    const auto sampler = samplers::make_sampler(options.sampler, schedule);
    std::vector<at::Tensor> samples{sample};
    for (std::int64_t k = 0; k < schedule.steps; ++k) {
        sample = sampler->step(k, velocity[k], sample);
        samples.push_back(sample);
    }
    return {{"samples", at::stack(samples)},
            {"timesteps", at::tensor(sampler->schedule().timesteps)},
            {"sigmas", at::tensor(sampler->schedule().sigmas)}};
}

const models::Evaluation& find_evaluation(const models::ModelFamily& family,
                                          const std::string& name) {
    const auto found = std::find_if(
        family.evaluations.begin(), family.evaluations.end(), [&](const models::Evaluation& each) {
            return each.name == name;
        });
    if (found == family.evaluations.end()) {
        std::vector<std::string> names;
        for (const auto& each : family.evaluations) {
            names.push_back(each.name);
        }
        fail(ErrorKind::usage,
             "'{}' is no component of family '{}' (expected one of: {}, {})",
             name,
             family.name,
             fmt::join(names, ", "),
             sampler_component);
    }
    return *found;
}

/// \throws Error (usage) for a layout that cannot be
void check_layout_for(const EvalOptions& options,
                      const ModelSpec& model,
                      const mpi::Communicator& world) {
    const ParallelLayout& layout = options.layout;
    const int ranks = layout.used_ranks();
    require(layout.ring >= 1 && layout.ulysses >= 1 && layout.tensor >= 1 && options.timeout > 0,
            ErrorKind::usage,
            "eval: --parallel.* are numbers of 1 or more");
    require(ranks == 1 || options.component != "tokenizer",
            ErrorKind::usage,
            "eval tokenizer: --parallel.* is for components with weights");
    require(ranks == 1 || ranks == world.size(),
            ErrorKind::usage,
            "eval: the layout is for {} ranks (started: {})",
            ranks,
            world.size());
    if (options.component == "transformer") {
        check_layout(layout, model.attention_heads, std::numeric_limits<std::int64_t>::max());
    }
}

models::NamedTensors evaluate_component(const EvalOptions& options,
                                        const mpi::Communicator& world) {
    require_path(options.store, "store", options.component);
    const auto file = store::StoreFile::open(options.store, world);
    const auto& family = models::family_of(file.config());
    const auto& evaluation = find_evaluation(family, options.component);
    const auto device = device::resolve(options.device, world.split_by_node().rank());
    const ModelSpec spec = family.describe(file.config());
    mpi::together(world, [&] { check_layout_for(options, spec, world); });

    models::NamedTensors inputs;
    if (!options.in.empty()) {
        inputs = store::read_tensors(options.in);
    } else {
        require(options.component == "tokenizer",
                ErrorKind::usage,
                "eval {}: --in is missing",
                options.component);
    }
    for (auto& [name, tensor] : inputs) {
        tensor = tensor.to(device);
    }
    const parallel::ProcessGrid grid(world, options.layout);
    const parallel::VideoGroup group = parallel::make_video_group(grid, options.timeout, device);
    store::LoadedWeights loaded;
    if (!evaluation.component.empty()) {
        loaded = store::load_component(file,
                                       spec.component(evaluation.component),
                                       world,
                                       {.compute = options.dtype,
                                        .device = device,
                                        .wanted = evaluation.needs,
                                        .tensor_parallel = grid.slice(),
                                        .weight_shard = grid.block_part()});
    }
    return evaluation.run({.checkpoint = file.config(),
                           .weights = std::move(loaded.weights),
                           .shards = std::move(loaded.blocks),
                           .compute = options.dtype,
                           .tensors = inputs,
                           .text = options.text,
                           .tiling = options.tiling,
                           .group = group});
}

}  // namespace

int eval_command(const std::vector<std::string>& arguments, const mpi::Session& session) {
    const auto& world = session.world();
    EvalOptions options;
    mpi::together(world, [&] { options = parse(arguments); });
    if (options.help) {
        if (world.rank() == 0) {
            std::cout << help_text();
        }
        return 0;
    }
    mpi::together(world, [&] {
        require(!options.component.empty(),
                ErrorKind::usage,
                "eval: no component is named; see reelyard eval --help");
        require_path(options.out, "out", options.component);
    });
    set_compute_threads(world);
    const c10::InferenceMode inference;
    models::NamedTensors outputs;
    if (options.component == sampler_component) {
        mpi::together(world, [&] {
            require_path(options.in, "in", options.component);
            outputs = evaluate_sampler(options);
        });
    } else {
        outputs = evaluate_component(options, world);
    }
    mpi::together(world, [&] {
        if (world.rank() == 0) {
            store::write_tensors(options.out, outputs);
        }
    });
    return 0;
}

}  // namespace reelyard::cli
