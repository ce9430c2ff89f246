#pragma once

#include <string>
#include <vector>

namespace reelyard::device {

/// A library as it was when the program was built and as it is now.
struct LibraryVersion {
    std::string name;
    std::string built;  ///< empty when the program was built without it
    std::string found;  ///< empty when it is not there
};

/// LibTorch, CUDA and NCCL.
[[nodiscard]] std::vector<LibraryVersion> library_versions();

}  // namespace reelyard::device
