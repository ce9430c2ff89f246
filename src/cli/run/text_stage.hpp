#pragma once

#include <vector>

#include "reelyard/mpi/communicator.hpp"
#include "reelyard/pipeline/conditioning_cache.hpp"
#include "reelyard/spec/task.hpp"

#include "model_source.hpp"

namespace reelyard::cli {

/// Encodes into the cache, over all ranks, every text of the tasks that is not there yet, each
/// once. The text encoder is loaded only if there is one, and freed at the end. Collective.
/// \returns seconds, 0 when there was nothing to encode
double encode_missing_texts(const mpi::Communicator& world,
                            ModelSource& model,
                            const std::vector<Task>& tasks,
                            const pipeline::ConditioningCache& cache);

}  // namespace reelyard::cli
