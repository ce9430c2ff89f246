#include "reelyard/jobs/job_file.hpp"

#include <optional>
#include <sstream>

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>

#include "reelyard/base/format.hpp"

#include "parsing/text_lines.hpp"

namespace reelyard::jobs {
namespace {

namespace po = boost::program_options;

/// The name of the section that `line` opens.
std::optional<std::string> section_of(std::string_view line) {
    const auto content = trimmed(line.substr(0, line.find('#')));
    if (!content.starts_with('[') || !content.ends_with(']')) {
        return std::nullopt;
    }
    return std::string(trimmed(content.substr(1, content.size() - 2)));
}

/// The entry of one line, taken apart by Boost. Line by line, because its parser does not tell
/// where in a file something stands, and ends at the first mistake.
std::vector<po::option> entries_of(const std::string& section, const std::string& line) {
    const po::options_description no_options;
    constexpr bool allow_unregistered = true;
    std::istringstream stream(section.empty() ? line : "[" + section + "]\n" + line);
    return po::parse_config_file(stream, no_options, allow_unregistered).options;
}

void add_entry(JobFile& file, const po::option& option, const Place& place) {
    const auto [entry, is_new] =
        file.entries.try_emplace(option.string_key, JobFile::Entry{option.value.at(0), place.line});
    if (!is_new) {
        file.problems.push_back(
            {place,
             fmt::format("'{}' is given again (expected once; first on line {})",
                         option.string_key,
                         entry->second.line)});
    }
}

}  // namespace

JobFile read_job_file(const std::filesystem::path& path) {
    const auto lines = split_lines(read_utf8_file(path));
    JobFile file{.entries = {}, .problems = encoding_problems(path, lines)};
    std::string section;
    Place place{.file = path.string(), .line = 0};
    for (const auto& line : lines) {
        ++place.line;
        if (const auto opened = section_of(line)) {
            section = *opened;
            continue;
        }
        try {
            for (const auto& option : entries_of(section, line)) {
                add_entry(file, option, place);
            }
        } catch (const po::error&) {
            file.problems.push_back(
                {place,
                 fmt::format("{} is no entry (expected 'key = value', '[section]' or '# comment')",
                             in_quotes(trimmed(line)))});
        }
    }
    return file;
}

}  // namespace reelyard::jobs
