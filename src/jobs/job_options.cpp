#include "reelyard/jobs/job_options.hpp"

#include <algorithm>
#include <sstream>

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <boost/program_options/value_semantic.hpp>

#include "reelyard/base/error.hpp"
#include "reelyard/jobs/job_file.hpp"

#include "option_table.hpp"
#include "parsing/nearest_name.hpp"

namespace reelyard::jobs {
namespace {

namespace po = boost::program_options;

/// What one source says, by key.
using GivenValues = std::map<std::string, GivenValue>;

struct CommandLine {
    std::vector<std::string> job_files;
    GivenValues values;
    bool quiet = false;
    bool help = false;
    std::vector<Problem> problems;
};

po::options_description command_line_flags() {
    po::options_description flags("Only on the command line");
    flags.add_options()("quiet", "print warnings, errors and nothing else")("help",
                                                                            "print this text");
    return flags;
}

/// One group per section of the job file.
po::options_description job_file_keys(const std::vector<Option>& table) {
    std::vector<std::string> sections;
    std::map<std::string, po::options_description> groups;
    for (const auto& option : table) {
        const auto section = option.key.substr(0, option.key.find('.'));
        const auto [group, is_new] = groups.try_emplace(section, "[" + section + "]");
        if (is_new) {
            sections.push_back(section);
        }
        // The description takes over the value object.
        auto* value = po::value<std::string>()->value_name(option.value_name);
        group->second.add_options()(option.key.c_str(), value, option.help.c_str());
    }
    po::options_description all;
    for (const auto& section : sections) {
        all.add(groups.at(section));
    }
    return all;
}

std::vector<std::string> keys_of(const std::vector<Option>& table) {
    std::vector<std::string> keys(table.size());
    std::transform(
        table.begin(), table.end(), keys.begin(), [](const Option& option) { return option.key; });
    return keys;
}

po::parsed_options parse_with_boost(const std::vector<std::string>& arguments,
                                    const po::options_description& options) {
    namespace style = po::command_line_style;
    try {
        return po::command_line_parser(arguments)
            .options(options)
            .style(style::unix_style & ~style::allow_guessing)
            .allow_unregistered()
            .run();
    } catch (const po::error& error) {
        fail(ErrorKind::usage, "{}: {} (see --help)", command_line, error.what());
    }
}

void take_option(CommandLine& line, const po::option& option, const std::vector<Option>& table) {
    const Place place{.file = std::string(command_line)};
    const auto& key = option.string_key;
    if (key.empty() && !option.unregistered) {
        line.job_files.push_back(option.value.at(0));
    } else if (option.unregistered) {
        auto known = keys_of(table);
        known.insert(known.end(), {"quiet", "help"});
        const auto name = key.empty() ? option.original_tokens.at(0) : key;
        line.problems.push_back(
            {place,
             fmt::format("'{}' is no option (see --help){}",
                         option.original_tokens.empty() ? name : option.original_tokens.at(0),
                         suggestion(name.substr(name.find_first_not_of('-')), known))});
    } else if (key == "quiet" || key == "help") {
        (key == "quiet" ? line.quiet : line.help) = true;
    } else if (!line.values.try_emplace(key, GivenValue{option.value.at(0), place, {}}).second) {
        line.problems.push_back({place, fmt::format("'--{}' is given twice (expected once)", key)});
    }
}

CommandLine read_command_line(const std::vector<std::string>& arguments,
                              const std::vector<Option>& table) {
    auto options = job_file_keys(table);
    options.add(command_line_flags());
    CommandLine line;
    bool after_unknown = false;
    for (const auto& option : parse_with_boost(arguments, options).options) {
        // What follows an unknown option is its value.
        if (!after_unknown || !option.string_key.empty() || option.unregistered) {
            take_option(line, option, table);
        }
        after_unknown = option.unregistered && option.value.empty();
    }
    if (line.job_files.size() > 1) {
        line.problems.push_back({{.file = std::string(command_line)},
                                 fmt::format("'{}' is a second job file (expected at most one)",
                                             line.job_files.at(1))});
    }
    return line;
}

GivenValues values_of_job_file(const std::filesystem::path& path,
                               const std::vector<Option>& table,
                               std::vector<Problem>& problems) {
    auto file = read_job_file(path);
    problems.insert(problems.end(), file.problems.begin(), file.problems.end());
    const auto known = keys_of(table);
    GivenValues values;
    for (const auto& [key, entry] : file.entries) {
        const Place place{.file = path.string(), .line = entry.line};
        if (std::find(known.begin(), known.end(), key) == known.end()) {
            problems.push_back({place,
                                fmt::format("'{}' is no key of a job file (see `reelyard run "
                                            "--help`){}",
                                            key,
                                            suggestion(key, known))});
            continue;
        }
        values.emplace(key, GivenValue{entry.text, place, path.parent_path()});
    }
    return values;
}

void apply(const GivenValues& values,
           const std::vector<Option>& table,
           JobOptions& job,
           std::vector<Problem>& problems) {
    for (const auto& option : table) {
        const auto given = values.find(option.key);
        if (given == values.end()) {
            continue;
        }
        if (const auto expected = option.set(job, given->second)) {
            problems.push_back({given->second.place,
                                fmt::format("'{}' is {} (expected {})",
                                            option.key,
                                            in_quotes(given->second.text),
                                            *expected)});
        }
    }
}

void check_presence(const JobOptions& job,
                    const GivenValues& given,
                    std::vector<Problem>& problems) {
    const Place place{.file =
                          job.job_file.empty() ? std::string(command_line) : job.job_file.string()};
    const auto need = [&](const std::string& key, std::string_view what) {
        if (!given.contains(key)) {
            problems.push_back({place,
                                fmt::format("'{}' is missing (expected {}); give it in the job "
                                            "file or with --{}",
                                            key,
                                            what,
                                            key)});
        }
    };
    need("model.store", "the file that `reelyard import` made");
    need("prompts.file", "a list of prompts: .txt, .jsonl or .csv");
}

/// What does not go together.
void check_agreement(const JobOptions& job,
                     const GivenValues& given,
                     std::vector<Problem>& problems) {
    for (const std::string key : {"decode.tile_size", "decode.tile_stride"}) {
        if (given.contains(key) && !job.decode.tiling) {
            problems.push_back({given.at(key).place,
                                fmt::format("'{}' is given, but there are no tiles (expected "
                                            "decode.tiling = on with it)",
                                            key)});
        }
    }
    if (job.decode.tile_stride > job.decode.tile_size) {
        const auto key =
            given.contains("decode.tile_stride") ? "decode.tile_stride" : "decode.tile_size";
        problems.push_back({given.at(key).place,
                            fmt::format("'decode.tile_stride' is {} (expected at most "
                                        "decode.tile_size, which is {})",
                                        job.decode.tile_stride,
                                        job.decode.tile_size)});
    }
}

}  // namespace

JobOptions read_job(const std::vector<std::string>& arguments,
                    const KnownNames& names,
                    JobUse use) {
    const auto table = option_table(names);
    auto line = read_command_line(arguments, table);
    JobOptions job;
    job.help = line.help;
    if (job.help) {
        return job;
    }
    job.log.quiet = line.quiet;
    auto problems = std::move(line.problems);
    auto given = line.values;
    if (!line.job_files.empty()) {
        job.job_file = line.job_files.front();
        auto in_file = values_of_job_file(job.job_file, table, problems);
        apply(in_file, table, job, problems);
        given.merge(std::move(in_file));
    }
    apply(line.values, table, job, problems);
    if (use == JobUse::run) {
        check_presence(job, given, problems);
    }
    check_agreement(job, given, problems);
    throw_problems(std::move(problems));
    return job;
}

std::string job_help(const KnownNames& names) {
    std::ostringstream text;
    text << "Usage: reelyard run [JOB.ini] [OPTION VALUE]...\n"
            "\n"
            "Every key of the job file is also an option, and the command line wins:\n"
            "`steps = 30` in section [generate] is --generate.steps 30. Paths in a job\n"
            "file are relative to its folder, paths on the command line to the current\n"
            "one.\n\n"
         << job_file_keys(option_table(names)) << '\n'
         << command_line_flags();
    return text.str();
}

}  // namespace reelyard::jobs
