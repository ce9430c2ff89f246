#pragma once

#include <exception>

#include "reelyard/base/error.hpp"

namespace reelyard::cli {

/// Any exception as an Error, so that it has a message and an exit code: LibTorch's and the
/// standard library's become `resources` when memory ran out, otherwise `internal`.
[[nodiscard]] Error to_error(const std::exception_ptr& exception);

}  // namespace reelyard::cli
