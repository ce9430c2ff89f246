#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace reelyard::jobs {

/// "; did you mean 'x'?" for the known name that `name` is most likely a slip of, or nothing. A
/// name that other programs use for the same thing counts as a slip, and so does one without its
/// section.
[[nodiscard]] std::string suggestion(std::string_view name, const std::vector<std::string>& known);

}  // namespace reelyard::jobs
