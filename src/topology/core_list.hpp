#pragma once

#include <optional>
#include <string>
#include <vector>

namespace reelyard::topology {

/// "0-3,8" for 0, 1, 2, 3, 8; \param cores ascending
[[nodiscard]] std::string core_list_text(const std::vector<int>& cores);

/// The other way; nothing when the text is no such list, or not ascending. "" is no core.
[[nodiscard]] std::optional<std::vector<int>> parse_core_list(const std::string& text);

}  // namespace reelyard::topology
