#pragma once

#include <filesystem>

namespace reelyard::topology {

/// What all active InfiniBand and RoCE ports of this machine carry together in one direction, in
/// 1e9 bytes a second; without any the fastest Ethernet port; 0 where nothing is known.
/// \param sys usually /sys
[[nodiscard]] double network_speed(const std::filesystem::path& sys);

}  // namespace reelyard::topology
