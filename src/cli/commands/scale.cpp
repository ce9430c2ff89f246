#include "scale.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

#include <boost/lexical_cast/try_lexical_convert.hpp>
#include <boost/program_options.hpp>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/report/scaling_table.hpp"

#include "../scale/launcher.hpp"

namespace reelyard::cli {
namespace {

namespace po = boost::program_options;

struct ScaleOptions {
    std::string job;
    std::string ranks;
    std::string launcher;
    std::filesystem::path folder;
    std::vector<std::string> passed_on;  ///< options of `run`
    bool help = false;
};

po::options_description describe(ScaleOptions& options, std::string& folder) {
    po::options_description known("options");
    // clang-format off
    known.add_options()
        ("ranks", po::value(&options.ranks)->value_name("N,N,..."), "numbers of ranks, ascending (required)")
        ("launcher", po::value(&options.launcher)->value_name("COMMAND")->default_value("mpirun -n {ranks}"),
         "what starts that many ranks; in a Slurm job 'srun -n {ranks}'")
        ("output", po::value(&folder)->value_name("DIR")->default_value("scaling"), "where runs, table and plot go")
        ("help", po::bool_switch(&options.help), "print this text");
    // clang-format on
    return known;
}

ScaleOptions parse(const std::vector<std::string>& arguments) {
    namespace style = po::command_line_style;
    ScaleOptions options;
    std::string folder;
    const auto known = describe(options, folder);
    // The job file comes first: further on a word may be the value of an option of `run`.
    std::vector<std::string> rest = arguments;
    if (!rest.empty() && !rest.front().starts_with('-')) {
        options.job = rest.front();
        rest.erase(rest.begin());
    }
    try {
        po::variables_map values;
        const auto parsed = po::command_line_parser(rest)
                                .options(known)
                                .style(style::unix_style & ~style::allow_guessing)
                                .allow_unregistered()
                                .run();
        options.passed_on = po::collect_unrecognized(parsed.options, po::include_positional);
        po::store(parsed, values);
        po::notify(values);
    } catch (const po::error& error) {
        fail(ErrorKind::usage, "scale: {}; see reelyard scale --help", error.what());
    }
    options.folder = folder;
    require(options.help || !options.job.empty(),
            ErrorKind::usage,
            "scale: no job file is named in the first place; see reelyard scale --help");
    require(options.help || options.launcher.find("{ranks}") != std::string::npos,
            ErrorKind::usage,
            "scale: --launcher is '{}' (expected a command with {{ranks}} in it)",
            options.launcher);
    return options;
}

/// "1,2,4" as numbers.
std::vector<int> rank_counts(const std::string& text) {
    std::vector<int> counts;
    std::istringstream words(text + ',');
    for (std::string word; std::getline(words, word, ',');) {
        int count = 0;
        require(boost::conversion::try_lexical_convert(word, count) && count >= 1 &&
                    (counts.empty() || count > counts.back()),
                ErrorKind::usage,
                "scale: --ranks is '{}' (expected ascending numbers such as 1,2,4,8)",
                text);
        counts.push_back(count);
    }
    return counts;
}

std::string help_text() {
    ScaleOptions options;
    std::string folder;
    std::ostringstream text;
    text << "Runs one job on different numbers of ranks, one run after the other, and compares "
            "them:\na table, scaling.csv and scaling.svg. A run that has been finished is not "
            "repeated.\n\n"
            "usage: reelyard scale JOB.ini --ranks 1,2,4,8 [options] [options of run]\n\n"
            "In the options of run, {ranks} stands for the number of ranks: --parallel.ulysses "
            "{ranks}\nmakes each video on all of them; without such an option every rank makes its "
            "own.\n\n"
         << describe(options, folder);
    return text.str();
}

std::string command_for(const ScaleOptions& options,
                        int ranks,
                        const std::filesystem::path& output) {
    const auto program = std::filesystem::read_symlink("/proc/self/exe");
    std::string command = with_ranks(options.launcher, ranks) + ' ' +
                          shell_quoted(program.string()) + " run " + shell_quoted(options.job);
    for (const std::string& word : options.passed_on) {
        command += ' ' + shell_quoted(with_ranks(word, ranks));
    }
    return command + " --output.dir " + shell_quoted(output.string());
}

report::RunRecord run_on(const ScaleOptions& options, int ranks) {
    const auto output = options.folder / fmt::format("ranks-{}", ranks);
    const auto record = output / report::run_record_name;
    if (!std::filesystem::exists(record)) {
        const std::string command = command_for(options, ranks, output);
        log::info("{}", command);
        const int code = run_in_shell(command);
        require(code == 0 && std::filesystem::exists(record),
                ErrorKind::input,
                "scale: the run on {} rank{} ended with exit code {} (expected 0): {}",
                ranks,
                ranks == 1 ? "" : "s",
                code,
                command);
    }
    return report::read_run_record(record);
}

}  // namespace

int scale_command(const std::vector<std::string>& arguments, const mpi::Session& session) {
    const ScaleOptions options = parse(arguments);
    if (options.help) {
        std::cout << help_text();
        return 0;
    }
    require(session.world().size() == 1,
            ErrorKind::usage,
            "scale: started on {} ranks (expected one: it starts the ranks itself)",
            session.world().size());
    log::configure({.level = log::Level::info});
    const std::vector<int> counts = rank_counts(options.ranks);
    std::filesystem::create_directories(options.folder);
    report::ScalingRuns runs;
    for (const int ranks : counts) {
        runs.push_back(run_on(options, ranks));
    }
    write_file_atomically(options.folder / "scaling.csv", report::scaling_csv(runs));
    write_file_atomically(options.folder / "scaling.svg",
                          report::scaling_svg(runs, options.job + " on " + runs.front().device));
    std::cout << report::scaling_text(runs)
              << "table: " << (options.folder / "scaling.csv").string()
              << ", plot: " << (options.folder / "scaling.svg").string() << '\n';
    return 0;
}

}  // namespace reelyard::cli
