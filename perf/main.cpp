#include <memory>

#include <benchmark/benchmark.h>

#include "reelyard/mpi/session.hpp"

#include "benchmark_world.hpp"

namespace {

std::unique_ptr<reelyard::mpi::Session>& session() {
    static std::unique_ptr<reelyard::mpi::Session>
        instance;  // benchmarks take no arguments of ours
    return instance;
}

}  // namespace

const reelyard::mpi::Communicator& reelyard::perf::benchmark_world() {
    return session()->world();
}

int main(int argc, char** argv) {
    session() = std::make_unique<reelyard::mpi::Session>(&argc, &argv);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    session().reset();
    return 0;
}
