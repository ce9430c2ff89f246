#include "reelyard/parallel/backend_registry.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"
#include "reelyard/device/device.hpp"
#include "reelyard/mpi/agreement.hpp"
#include "reelyard/parallel/mpi_backend.hpp"
#include "reelyard/parallel/nccl_backend.hpp"

namespace reelyard::parallel {
namespace {

/// Why NCCL cannot carry the messages of ranks on these devices; empty when it can.
std::string obstacle(const std::vector<std::string>& gpus) {
    if (!has_nccl()) {
        return "this program is built without CUDA";
    }
    if (std::find(gpus.begin(), gpus.end(), device::identity({c10::DeviceType::CPU})) !=
        gpus.end()) {
        return "not all ranks compute on a GPU";
    }
    const std::set<std::string> different(gpus.begin(), gpus.end());
    return different.size() == gpus.size()
               ? ""
               : fmt::format("{} ranks share {} GPUs", gpus.size(), different.size());
}

std::string choose(std::string_view wish, const std::vector<std::string>& gpus) {
    const auto known = backend_names();
    require(std::find(known.begin(), known.end(), wish) != known.end(),
            ErrorKind::usage,
            "backend: '{}' (expected one of: {})",
            wish,
            fmt::join(known, ", "));
    if (wish == "mpi") {
        return "mpi";
    }
    const std::string why_not = obstacle(gpus);
    require(wish != "nccl" || why_not.empty(),
            ErrorKind::resources,
            "backend: 'nccl', but {} (expected a GPU for each rank); use mpi or auto",
            why_not);
    return why_not.empty() ? "nccl" : "mpi";
}

}  // namespace

std::vector<std::string> backend_names() {
    return {"auto", "mpi", "nccl"};
}

std::string choose_backend(std::string_view wish,
                           const mpi::Communicator& group,
                           c10::Device device) {
    std::string own;
    mpi::together(group, [&] { own = device::identity(device); });
    const auto gpus = group.gather_texts(own, 0);
    return mpi::on_root(group, [&] { return choose(wish, gpus); });
}

std::unique_ptr<MessageBackend> make_backend(mpi::Communicator group, const BackendWish& wish) {
    const std::string name = choose_backend(wish.name, group, wish.device);
    if (group.size() == 1) {
        return nullptr;
    }
    return name == "nccl" ? make_nccl_backend(std::move(group), wish.device, wish.timeout)
                          : make_mpi_backend(std::move(group));
}

}  // namespace reelyard::parallel
