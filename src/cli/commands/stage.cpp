#include "stage.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

#include <boost/program_options.hpp>

#include "reelyard/base/bytes.hpp"
#include "reelyard/base/clock.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/base/stop_signal.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/store/staged_store.hpp"
#include "reelyard/store/store_file.hpp"

#include "../arguments.hpp"
#include "../progress.hpp"

namespace reelyard::cli {
namespace {

namespace po = boost::program_options;
using store::StageReport;
using store::StoreFile;

struct StageOptions {
    std::string store;
    std::string folder;
    int ranks_per_node = 0;
    bool remove = false;
    bool quiet = false;
    bool help = false;
};

po::options_description describe(StageOptions& options) {
    po::options_description known("options");
    // clang-format off
    known.add_options()
        ("store", po::value(&options.store)->value_name("FILE"), "weight store")
        ("to", po::value(&options.folder)->value_name("DIR")
                   ->default_value(store::default_stage_folder().string()),
         "folder that each node has for itself; 'run' looks in the default one by itself")
        ("ranks-per-node", po::value(&options.ranks_per_node)->value_name("N")->default_value(0),
         "count every N ranks as a node; 0: as they really lie")
        ("remove", po::bool_switch(&options.remove), "remove the copies from the nodes again")
        ("quiet", po::bool_switch(&options.quiet), "print warnings, errors and nothing else")
        ("help", po::bool_switch(&options.help), "print this text");
    // clang-format on
    return known;
}

StageOptions parse(const std::vector<std::string>& arguments) {
    StageOptions options;
    const auto known = describe(options);
    read_arguments("stage", known, "store", arguments);
    require(options.help || !options.store.empty(),
            ErrorKind::usage,
            "stage: no weight store is named; see reelyard stage --help");
    require(options.ranks_per_node >= 0,
            ErrorKind::usage,
            "stage: --ranks-per-node is {} (expected 0 or more)",
            options.ranks_per_node);
    require(options.help || !options.folder.empty(),
            ErrorKind::usage,
            "stage: --to is empty (expected a folder)");
    return options;
}

std::string help_text() {
    StageOptions options;
    std::ostringstream text;
    text << "Copies a weight store from shared storage to every node of a job, each node reading "
            "its\n"
            "share. Worth it where jobs restart often on the same nodes.\n\n"
            "usage: mpirun -n N reelyard stage FILE [options]\n\n"
         << describe(options);
    return text.str();
}

std::string to_line(const StageReport& report) {
    const std::string nodes =
        report.nodes == 1 ? "one node" : fmt::format("{} nodes", report.nodes);
    if (report.was_there) {
        return fmt::format("{}: was there on {}, {}\n",
                           report.staged.string(),
                           nodes,
                           format_bytes(report.file_bytes));
    }
    constexpr double shortest_s = 1e-6;
    constexpr double bytes_per_gb = 1e9;
    return fmt::format("{}: {} on {} in {}, {:.2f} GB/s\n",
                       report.staged.string(),
                       format_bytes(report.file_bytes),
                       nodes,
                       format_seconds(report.seconds),
                       static_cast<double>(report.file_bytes) / bytes_per_gb /
                           std::max(report.seconds, shortest_s));
}

std::string stage(const StoreFile& file,
                  const StageOptions& options,
                  const mpi::Communicator& world) {
    ByteProgress progress("stage", choose_progress_output(world.rank(), options.quiet));
    return to_line(store::stage_store(
        file,
        std::filesystem::absolute(options.folder),
        world,
        options.ranks_per_node,
        [&](std::int64_t done, std::int64_t total) { progress.show(done, total); }));
}

std::string remove(const StoreFile& file,
                   const StageOptions& options,
                   const mpi::Communicator& world) {
    const int nodes = store::remove_staged(
        file, std::filesystem::absolute(options.folder), world, options.ranks_per_node);
    return nodes == 0
               ? fmt::format("{}: there was no copy\n", options.folder)
               : fmt::format(
                     "{}: removed from {} node{}\n", options.folder, nodes, nodes == 1 ? "" : "s");
}

}  // namespace

int stage_command(const std::vector<std::string>& arguments, const mpi::Session& session) {
    const auto& world = session.world();
    StageOptions options;
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
    const StoreFile file = StoreFile::open(options.store, world);
    const std::string line =
        options.remove ? remove(file, options, world) : stage(file, options, world);
    if (world.rank() == 0 && !options.quiet) {
        std::cout << line << std::flush;
    }
    return 0;
}

}  // namespace reelyard::cli
