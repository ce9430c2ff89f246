#pragma once

#include <functional>
#include <optional>
#include <string>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/communicator.hpp"

namespace reelyard::mpi {

/// Makes a failure on one rank an Error on all: collective. The error thrown is that of the lowest
/// rank that has one, with "rank r" in its context when it came from elsewhere. \param error this
/// rank's failure, or nothing
void agree(const Communicator& group, const std::optional<Error>& error);

/// Runs `body` on every rank and then agrees, so that either all go on or all throw the same Error.
void together(const Communicator& group, const std::function<void()>& body);

/// Runs `body` on the root alone and gives its text to all; its Error is thrown on all.
[[nodiscard]] std::string on_root(const Communicator& group,
                                  const std::function<std::string()>& body);

}  // namespace reelyard::mpi
