#pragma once

#include <exception>

#include "reelyard/base/error.hpp"

namespace reelyard::dispatch {

/// The exception as an Error.
[[nodiscard]] Error to_error(const std::exception_ptr& exception);

}  // namespace reelyard::dispatch
