#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace reelyard::store {

/// Parses JSON from a file that may be anything: refuses keys that stand twice in an object (of
/// which a plain parser keeps the last), control characters in keys, zero characters in texts
/// (where C functions would end), and nesting that no file of ours has. \param place what is
/// parsed, for messages \throws Error (input)
[[nodiscard]] nlohmann::json parse_strictly(std::string_view text, const std::string& place);

/// A value for a message: short, whatever is in it.
[[nodiscard]] std::string shown(const nlohmann::json& value);

}  // namespace reelyard::store
