#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "reelyard/jobs/generation_settings.hpp"
#include "reelyard/jobs/job_options.hpp"
#include "reelyard/jobs/problems.hpp"

namespace reelyard::jobs {

/// The text of a key, and where it stands.
struct GivenValue {
    std::string text;
    Place place;
    std::filesystem::path folder;  ///< what relative paths are relative to; empty: the current one
};

/// A key of the job file, which is a command-line option too.
struct Option {
    std::string key;         ///< "section.name"
    std::string value_name;  ///< for the help text
    std::string help;        ///< with the default
    /// Puts the value into the job; or returns what was expected when the text is no such value.
    std::function<std::optional<std::string>(JobOptions&, const GivenValue&)> set;
};

/// All keys, section by section: the one place where a key is defined.
[[nodiscard]] std::vector<Option> option_table(const KnownNames& names);

}  // namespace reelyard::jobs
