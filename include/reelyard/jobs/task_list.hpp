#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "reelyard/jobs/job_options.hpp"
#include "reelyard/jobs/prompt_list.hpp"
#include "reelyard/spec/model_spec.hpp"
#include "reelyard/spec/task.hpp"

namespace reelyard::jobs {

/// The base seed of a job that names none.
inline constexpr std::uint64_t default_base_seed = 42;

/// The tasks of a job, in the order of the list. What a prompt does not say is taken from the job
/// file, then from the model; the command line goes before all (but for the seed, see
/// docs/formats/job_file.md).
/// \param names the same that the list and the options were read with
/// \throws Error (input) that names everything wrong with the prompts and with [generate]
[[nodiscard]] std::vector<Task> make_tasks(const PromptList& list,
                                           const JobOptions& job,
                                           const ModelSpec& model,
                                           const KnownNames& names);

/// The seed of a prompt that has none: the low 32 bits of XXH3-64 of "<base seed>:<id>". The CPU
/// generator of PyTorch uses no more bits than these.
[[nodiscard]] std::uint64_t derive_seed(std::uint64_t base_seed, std::string_view id);

}  // namespace reelyard::jobs
