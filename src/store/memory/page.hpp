#pragma once

#include <cstdint>

#include "reelyard/base/bytes.hpp"

namespace reelyard::store {

/// What memory is handed out in, and what direct reads of a file are aligned to.
inline constexpr std::int64_t page = 4 * kibibyte;

}  // namespace reelyard::store
