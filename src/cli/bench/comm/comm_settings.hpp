#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reelyard/spec/dtype.hpp"

namespace reelyard::cli {

/// What `reelyard bench comm` is asked for.
struct CommSettings {
    std::vector<std::int64_t> sizes = {};  ///< bytes, ascending
    int group = 0;                         ///< ranks of a group
    DType dtype = DType::float32;
    std::string device = "auto";
    std::string backend = "auto";
    int repetitions = 20;
    double timeout = 60.0;  ///< seconds that one operation may take
    bool json = false;
    bool help = false;
};

/// \param ranks that take part
/// \throws Error (usage) naming the option, what was found and what was expected
[[nodiscard]] CommSettings parse_comm_settings(const std::vector<std::string>& arguments,
                                               int ranks);

/// The text of `reelyard bench comm --help`.
[[nodiscard]] std::string comm_settings_help();

}  // namespace reelyard::cli
