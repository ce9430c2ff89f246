#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace reelyard::topology {

/// The value of an environment variable; nothing when it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// That of this process.
[[nodiscard]] Environment process_environment();

/// The least memory.max (version 2) or memory.limit_in_bytes (version 1) of the control groups that
/// this process is in; nothing where there is no limit. \param root of the file system
[[nodiscard]] std::optional<std::int64_t> control_group_memory(const std::filesystem::path& root);

/// What Slurm gives the job on this node; nothing where it does not say.
[[nodiscard]] std::optional<std::int64_t> slurm_memory(const Environment& environment);

/// What of this machine's memory is left by both.
[[nodiscard]] std::int64_t within_limits(std::int64_t memory_bytes);

/// Which of a node's GPUs CUDA_VISIBLE_DEVICES lets this process use, in its order.
/// \param ids of the node's GPUs ("GPU-...")
[[nodiscard]] std::vector<int> visible_gpus(const Environment& environment,
                                            const std::vector<std::string>& ids);

}  // namespace reelyard::topology
