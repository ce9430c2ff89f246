#include "import.hpp"

#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>

#include <boost/program_options.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/base/stop_signal.hpp"
#include "reelyard/models/model_family.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/store/checkpoint/checkpoint_folder.hpp"
#include "reelyard/store/checkpoint/checkpoint_importer.hpp"

#include "../arguments.hpp"
#include "../progress.hpp"

namespace reelyard::cli {
namespace {

namespace po = boost::program_options;

struct ImportOptions {
    std::string checkpoint;
    std::string output;
    std::string dtype;
    bool quiet = false;
    bool help = false;
};

po::options_description describe(ImportOptions& options) {
    po::options_description known("options");
    known.add_options()("checkpoint",
                        po::value(&options.checkpoint)->value_name("DIR"),
                        "checkpoint folder in the layout of diffusers")(
        "output,o",
        po::value(&options.output)->value_name("FILE"),
        "weight store to make (required)")(
        "dtype",
        po::value(&options.dtype)->default_value("keep")->value_name("TYPE"),
        "keep, bfloat16, float32 or float16; tensors that the model keeps in float32 stay as they "
        "are")("quiet", po::bool_switch(&options.quiet), "print warnings, errors and nothing else")(
        "help", po::bool_switch(&options.help), "print this text");
    return known;
}

ImportOptions parse(const std::vector<std::string>& arguments) {
    ImportOptions options;
    const auto known = describe(options);
    read_arguments("import", known, "checkpoint", arguments);
    require(options.help || !options.checkpoint.empty(),
            ErrorKind::usage,
            "import: no checkpoint folder is named; see reelyard import --help");
    require(options.help || !options.output.empty(),
            ErrorKind::usage,
            "import: -o FILE is missing; see reelyard import --help");
    require(options.dtype == "keep" || dtype_from_string(options.dtype),
            ErrorKind::usage,
            "import: --dtype is '{}' (expected keep, bfloat16, float32 or float16)",
            options.dtype);
    return options;
}

std::string help_text() {
    ImportOptions options;
    std::ostringstream text;
    text << "Turns a checkpoint folder into one weight store, alone or under mpirun.\n\n"
            "usage: reelyard import DIR -o FILE [options]\n\n"
         << describe(options);
    return text.str();
}

}  // namespace

int import_command(const std::vector<std::string>& arguments, const mpi::Session& session) {
    const auto& world = session.world();
    ImportOptions options;
    mpi::together(world, [&] { options = parse(arguments); });
    if (options.help) {
        if (world.rank() == 0) {
            std::cout << help_text();
        }
        return 0;
    }
    log::configure({.level = options.quiet ? log::Level::warning : log::Level::info,
                    .rank = world.rank(),
                    .ranks = world.size()});
    const StopSignal stop;
    CheckpointConfig config;
    ModelSpec model;
    mpi::together(world, [&] {
        config = store::read_checkpoint_config(options.checkpoint);
        model = models::family_of(config).describe(config);
    });
    ByteProgress progress("import", choose_progress_output(world.rank(), options.quiet));
    const auto report = store::import_checkpoint(
        {.checkpoint = options.checkpoint,
         .output = options.output,
         .dtype = dtype_from_string(options.dtype)},
        config,
        model,
        world,
        [&](std::int64_t done, std::int64_t total) { progress.show(done, total); });
    log::info("{}: {} tensors, {} in {}",
              options.output,
              report.tensors,
              format_bytes(report.bytes_written),
              format_seconds(report.seconds));
    return 0;
}

}  // namespace reelyard::cli
