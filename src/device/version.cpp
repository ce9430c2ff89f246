#include "reelyard/device/version.hpp"

#include <cstdint>

#include <torch/csrc/inductor/aoti_torch/c/shim.h>
#include <torch/headeronly/version.h>

#include "reelyard/base/format.hpp"

#include "backend.hpp"

namespace reelyard::device {

namespace {

// LibTorch packs its version as one byte each of major, minor and patch, from the top.
std::string torch_found() {
    const std::uint64_t packed = aoti_torch_abi_version();
    return fmt::format("{}.{}.{}", packed >> 56U, packed >> 48U & 0xffU, packed >> 40U & 0xffU);
}

}  // namespace

std::vector<LibraryVersion> library_versions() {
    return {{.name = "LibTorch", .built = TORCH_VERSION, .found = torch_found()},
            backend::cuda_version(),
            backend::nccl_version()};
}

}  // namespace reelyard::device
