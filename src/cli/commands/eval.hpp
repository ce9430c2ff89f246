#pragma once

#include <string>
#include <vector>

#include "reelyard/mpi/session.hpp"

namespace reelyard::cli {

/// `reelyard eval COMPONENT`: computes one component on the tensors of a safetensors file.
int eval_command(const std::vector<std::string>& arguments, const mpi::Session& session);

}  // namespace reelyard::cli
