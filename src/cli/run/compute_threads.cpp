#include "compute_threads.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include <ATen/Parallel.h>
#include <sched.h>

namespace reelyard::cli {
namespace {

cpu_set_t allowed_cores() {
    cpu_set_t cores;
    CPU_ZERO(&cores);
    sched_getaffinity(0, sizeof(cores), &cores);
    return cores;
}

/// Ranks of the node that may run on this rank's first core: all of them when none is bound, this
/// one alone when each has cores of its own.
int ranks_on_my_cores(const mpi::Communicator& node, const cpu_set_t& mine) {
    int core = 0;
    while (core < CPU_SETSIZE && !CPU_ISSET(core, &mine)) {
        ++core;
    }
    std::int64_t sharing = 0;
    for (int owner = 0; owner < node.size(); ++owner) {
        const std::int64_t asked = node.max(node.rank() == owner ? core : -1);
        const std::int64_t count = node.sum(asked < CPU_SETSIZE && CPU_ISSET(asked, &mine) ? 1 : 0);
        sharing = owner == node.rank() ? count : sharing;
    }
    return static_cast<int>(std::max<std::int64_t>(sharing, 1));
}

}  // namespace

int set_compute_threads(const mpi::Communicator& world) {
    const auto node = world.split_by_node();
    const cpu_set_t mine = allowed_cores();
    const int share = std::max(1, CPU_COUNT(&mine) / ranks_on_my_cores(node, mine));
    const char* wish = std::getenv("OMP_NUM_THREADS");
    if (wish == nullptr || *wish == '\0') {
        at::set_num_threads(share);
    }
    return at::get_num_threads();
}

}  // namespace reelyard::cli
