#pragma once

#include <vector>

#include "reelyard/parallel/process_grid.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/pipeline/conditioning_cache.hpp"
#include "reelyard/spec/task.hpp"

#include "model_source.hpp"

namespace reelyard::cli {

/// Encodes into the cache every text of the tasks that is not there yet, each once. The text
/// encoder is loaded only if there is one, and freed at the end; the ranks of a video hold slices
/// of it, or parts of its blocks, as they do of the transformer. Texts are spread over all ranks,
/// but for spare ones where the others need one another. Collective over all ranks of the grid.
/// \param group this rank's \returns seconds, 0 when there was nothing to encode
double encode_missing_texts(const parallel::ProcessGrid& grid,
                            const parallel::VideoGroup& group,
                            ModelSource& model,
                            const std::vector<Task>& tasks,
                            const pipeline::ConditioningCache& cache);

}  // namespace reelyard::cli
