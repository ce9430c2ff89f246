#pragma once

#include <memory>

#include "reelyard/parallel/message_backend.hpp"

namespace reelyard::parallel {

/// A group that is not there: nothing is moved and nobody answers, but TensorComm counts. What a
/// rank of a large group would exchange is found out with it on one.
[[nodiscard]] std::unique_ptr<MessageBackend> make_counting_backend(int rank, int size);

}  // namespace reelyard::parallel
