#include "bench.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <string_view>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"

#include "../bench/comm/comm_bench.hpp"
#include "../bench/load/load_bench.hpp"

namespace reelyard::cli {
namespace {

/// One thing that can be measured.
struct Benchmark {
    std::string_view name;
    std::string_view summary;
    int (*run)(const std::vector<std::string>& arguments, const mpi::Session& session);
};

constexpr std::array benchmarks{
    Benchmark{
        "comm", "time what a group's ranks exchange, beside what the link can do", run_comm_bench},
    Benchmark{"load", "load the weights of a store, beside a raw read of it", run_load_bench},
};

std::string help_text() {
    std::string text =
        "Measures one part of a job by itself, alone or under mpirun.\n\n"
        "usage: reelyard bench WHAT [options]\n\n"
        "what:\n";
    for (const Benchmark& benchmark : benchmarks) {
        text += fmt::format("  {:<10} {}\n", benchmark.name, benchmark.summary);
    }
    return text + "\n  reelyard bench WHAT --help   its options\n";
}

const Benchmark& find_benchmark(const std::vector<std::string>& arguments) {
    std::vector<std::string_view> names;
    names.reserve(benchmarks.size());
    for (const Benchmark& benchmark : benchmarks) {
        names.push_back(benchmark.name);
    }
    require(!arguments.empty(),
            ErrorKind::usage,
            "bench: nothing to measure is named (expected one of: {}); see reelyard bench --help",
            fmt::join(names, ", "));
    const auto* found =
        std::find_if(benchmarks.begin(), benchmarks.end(), [&](const Benchmark& benchmark) {
            return benchmark.name == arguments.front();
        });
    require(found != benchmarks.end(),
            ErrorKind::usage,
            "bench: '{}' is no benchmark (expected one of: {}); see reelyard bench --help",
            arguments.front(),
            fmt::join(names, ", "));
    return *found;
}

}  // namespace

int bench_command(const std::vector<std::string>& arguments, const mpi::Session& session) {
    const auto& world = session.world();
    if (!arguments.empty() && (arguments.front() == "--help" || arguments.front() == "-h")) {
        if (world.rank() == 0) {
            std::cout << help_text();
        }
        return 0;
    }
    const Benchmark* benchmark = nullptr;
    mpi::together(world, [&] { benchmark = &find_benchmark(arguments); });
    return benchmark->run({arguments.begin() + 1, arguments.end()}, session);
}

}  // namespace reelyard::cli
