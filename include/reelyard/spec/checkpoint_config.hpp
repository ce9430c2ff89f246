#pragma once

#include <map>
#include <string>

namespace reelyard {

/// Everything of a checkpoint but its weights: small files, kept byte for byte.
struct CheckpointConfig {
    /// Path inside the checkpoint folder -> content: "model_index.json", "transformer/config.json",
    /// "scheduler/scheduler_config.json", "tokenizer/spiece.model" ...
    std::map<std::string, std::string> files;
};

/// The content of `path`. \throws Error (input) when the checkpoint has no such file
[[nodiscard]] const std::string& file_content(const CheckpointConfig& config,
                                              const std::string& path);

}  // namespace reelyard
