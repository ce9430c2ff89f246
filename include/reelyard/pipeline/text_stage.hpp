#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "reelyard/models/conditioner.hpp"
#include "reelyard/parallel/video_group.hpp"
#include "reelyard/pipeline/conditioning_cache.hpp"
#include "reelyard/spec/parallel_layout.hpp"
#include "reelyard/spec/task.hpp"

namespace reelyard::pipeline {

/// Every text that the tasks need, each once, the longest first (ties in the order of the bytes).
[[nodiscard]] std::vector<std::string> distinct_texts(const std::vector<Task>& tasks);

/// The part of `texts` that this rank encodes: spread so that long and short ones fall evenly.
[[nodiscard]] std::vector<std::string> texts_of_rank(const std::vector<std::string>& texts,
                                                     int rank,
                                                     int ranks);

/// What a rank does in the text stage.
struct TextPart {
    std::vector<std::string> texts = {};  ///< that it encodes, alone or with others
    /// How often it goes through the encoder: where ranks share weights, also for the texts that
    /// others have and it has not.
    std::size_t passes = 0;
    bool keeps = true;  ///< whether it is the one that puts its texts into the cache
};

/// The part of a rank that has the encoder to itself.
[[nodiscard]] TextPart part_of_rank(const std::vector<std::string>& texts, int rank, int ranks);

/// The part of a rank of a layout whose ranks hold slices of the encoder or parts of its blocks.
/// Those of a tensor parallel group encode the same texts; those that share weights go through the
/// encoder in step.
[[nodiscard]] TextPart part_of_place(const std::vector<std::string>& texts,
                                     const ParallelLayout& layout,
                                     const GridPosition& position);

/// Encodes texts one by one into the cache. Collective over the ranks of the group that compute
/// texts together; what stops one text, or keeping it, does not stop the other ranks.
/// \throws Error of the first text that failed, when all are through; (communication) at once, that
/// names the rank, for what the others wait for in vain
void encode_texts(const TextPart& part,
                  const models::Conditioner& conditioner,
                  const parallel::VideoGroup& group,
                  const ConditioningCache& cache);

}  // namespace reelyard::pipeline
