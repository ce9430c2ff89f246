#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "reelyard/jobs/generation_settings.hpp"
#include "reelyard/jobs/problems.hpp"

namespace reelyard::jobs {

/// One video to make.
struct Prompt {
    std::int64_t line = 0;  ///< where it begins in its file
    std::string id;         ///< empty: none given
    std::string text;
    GenerationSettings settings;  ///< its own
};

/// A list of prompts, and what is wrong with it: make_tasks() reports it together with what only
/// the model can tell.
struct PromptList {
    std::filesystem::path file;
    std::vector<Prompt> prompts;
    std::vector<Problem> problems;
};

/// Reads a list by the end of its name: .txt, .jsonl or .csv (docs/formats/prompt_list.md).
/// \throws Error (input) when the file cannot be read as text or has another name
[[nodiscard]] PromptList read_prompt_list(const std::filesystem::path& file,
                                          const KnownNames& names);

/// What keeps `id` from being the name of a file, as "found (expected ...)"; empty when it is one.
[[nodiscard]] std::string id_problem(const std::string& id);

}  // namespace reelyard::jobs
