#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>

#include <unistd.h>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/mpi/node_layout.hpp"
#include "reelyard/store/staged_store.hpp"

#include "stage/part_file.hpp"
#include "stage/staged_copy.hpp"

namespace reelyard::store {
namespace {

/// On how many nodes `is_so` of their first rank. Collective.
int count_nodes(const mpi::Communicator& world, const mpi::NodeLayout& layout, bool is_so) {
    return static_cast<int>(world.sum(is_so && layout.node().rank() == 0 ? 1 : 0));
}

}  // namespace

std::filesystem::path default_stage_folder() {
    return fmt::format("/dev/shm/reelyard-{}", ::geteuid());
}

StagedCopy find_staged(const StoreFile& file,
                       const std::filesystem::path& folder,
                       const mpi::Communicator& world,
                       int ranks_per_node) {
    const mpi::NodeLayout layout(world, ranks_per_node);
    const std::filesystem::path path = staged_path(file, folder);
    const std::string flaw = flaw_on_node(path, file, file_bytes_of(file, world), layout.node());
    const int lacking = count_nodes(world, layout, !flaw.empty());
    if (lacking == 0) {
        return {.path = path, .reason = fmt::format("staged at {}", path.string())};
    }
    // One node's reason is worth more than a number; where some have a copy, the number is.
    const std::string first_flaw = world.broadcast_text(flaw, 0);
    return {.path = std::nullopt,
            .reason = lacking == layout.nodes()
                          ? first_flaw
                          : fmt::format("{} of {} nodes have no sound copy in {}",
                                        lacking,
                                        layout.nodes(),
                                        folder.string())};
}

int remove_staged(const StoreFile& file,
                  const std::filesystem::path& folder,
                  const mpi::Communicator& world,
                  int ranks_per_node) {
    const mpi::NodeLayout layout(world, ranks_per_node);
    const std::filesystem::path path = staged_path(file, folder);
    bool was_there = false;
    mpi::together(world, [&] {
        if (layout.node().rank() != 0) {
            return;
        }
        was_there = ::unlink(path.c_str()) == 0;
        require(was_there || errno == ENOENT || errno == ENOTDIR,
                ErrorKind::storage,
                "{}: cannot be removed: {}",
                path.string(),
                std::strerror(errno));
        remove_leftover_parts(folder);
        if (folder == default_stage_folder()) {
            ::rmdir(folder.c_str());  // stays while it holds something else
        }
    });
    return count_nodes(world, layout, was_there);
}

}  // namespace reelyard::store
