#pragma once

#include <string>

namespace reelyard::store {

/// What this machine is called, for messages about one node of several.
[[nodiscard]] std::string host_name();

}  // namespace reelyard::store
