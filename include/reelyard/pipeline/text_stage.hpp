#pragma once

#include <string>
#include <vector>

#include "reelyard/models/conditioner.hpp"
#include "reelyard/pipeline/conditioning_cache.hpp"
#include "reelyard/spec/task.hpp"

namespace reelyard::pipeline {

/// Every text that the tasks need, each once, the longest first (ties in the order of the bytes).
[[nodiscard]] std::vector<std::string> distinct_texts(const std::vector<Task>& tasks);

/// The part of `texts` that this rank encodes: spread so that long and short ones fall evenly.
[[nodiscard]] std::vector<std::string> texts_of_rank(const std::vector<std::string>& texts,
                                                     int rank,
                                                     int ranks);

/// Encodes `texts` one by one into the cache.
void encode_texts(const std::vector<std::string>& texts,
                  const models::Conditioner& conditioner,
                  const ConditioningCache& cache);

}  // namespace reelyard::pipeline
