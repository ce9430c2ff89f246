#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "reelyard/jobs/problems.hpp"

namespace reelyard::jobs {

/// The keys of an INI file with their texts, as they stand there.
struct JobFile {
    struct Entry {
        std::string text;
        std::int64_t line = 0;
    };
    std::map<std::string, Entry> entries;  ///< "generate.steps" -> "30"
    std::vector<Problem> problems;         ///< lines that are no entry, keys given twice
};

/// Takes an INI file apart, in the form of Boost.Program_options: sections, `key = value`, `#`
/// begins a comment anywhere in a line. \throws Error (input) when the file cannot be read
[[nodiscard]] JobFile read_job_file(const std::filesystem::path& path);

}  // namespace reelyard::jobs
