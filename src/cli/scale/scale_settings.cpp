#include "scale_settings.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include <boost/lexical_cast/try_lexical_convert.hpp>
#include <boost/program_options.hpp>

#include "reelyard/base/error.hpp"

#include "launcher.hpp"

namespace reelyard::cli {
namespace {

namespace po = boost::program_options;

constexpr int most_predicted = 4096;

/// The options as they are written.
struct Words {
    std::string ranks;
    std::string predict;
    std::string launcher;
    std::string folder;
    std::string topology;
    int ranks_per_node = 0;
    double compute_factor = 1.0;
    bool help = false;
};

po::options_description describe(Words& words) {
    po::options_description known("options");
    // clang-format off
    known.add_options()
        ("ranks", po::value(&words.ranks)->value_name("N,N,..."), "numbers of ranks to run on, ascending (required)")
        ("predict", po::value(&words.predict)->value_name("N,N,..."), "numbers of ranks to predict for, ascending")
        ("topology", po::value(&words.topology)->value_name("FILE"),
         "hardware to predict for: JSON, or hwloc XML of one node [more nodes like this one]")
        ("ranks-per-node", po::value(&words.ranks_per_node)->value_name("N"),
         "of what is predicted [one for each GPU; on cores one for each NUMA domain of FILE, or as many as the runs had here]")
        ("compute-factor", po::value(&words.compute_factor)->value_name("X"),
         "a rank that is predicted computes X times as fast as one here [1]")
        ("launcher", po::value(&words.launcher)->value_name("COMMAND")->default_value("mpirun -n {ranks}"),
         "what starts that many ranks; in a Slurm job 'srun -n {ranks}'")
        ("output", po::value(&words.folder)->value_name("DIR")->default_value("scaling"), "where runs, table and plot go")
        ("help", po::bool_switch(&words.help), "print this text");
    // clang-format on
    return known;
}

/// "1,2,4" as numbers.
std::vector<int> rank_counts(const char* option, const std::string& text) {
    std::vector<int> counts;
    std::istringstream words(text + ',');
    for (std::string word; std::getline(words, word, ',');) {
        int count = 0;
        require(boost::conversion::try_lexical_convert(word, count) && count >= 1 &&
                    (counts.empty() || count > counts.back()),
                ErrorKind::usage,
                "scale: --{} is '{}' (expected ascending numbers such as 1,2,4,8)",
                option,
                text);
        counts.push_back(count);
    }
    return counts;
}

/// What only makes sense together with --predict.
void check_prediction(const ScaleSettings& settings, const po::variables_map& given) {
    for (const char* option : {"topology", "ranks-per-node", "compute-factor"}) {
        require(!settings.predict.empty() || !given.contains(option),
                ErrorKind::usage,
                "scale: --{} is given, but nothing is to be predicted (expected --predict with "
                "numbers of ranks, too)",
                option);
    }
    for (const int count : settings.predict) {
        require(
            std::find(settings.ranks.begin(), settings.ranks.end(), count) == settings.ranks.end(),
            ErrorKind::usage,
            "scale: {} is in --ranks and in --predict (expected each number once)",
            count);
        require(count <= most_predicted,
                ErrorKind::usage,
                "scale: --predict asks for {} ranks (expected at most {})",
                count,
                most_predicted);
    }
    require(!given.contains("ranks-per-node") ||
                (settings.ranks_per_node >= 1 && settings.ranks_per_node <= most_predicted),
            ErrorKind::usage,
            "scale: --ranks-per-node is {} (expected 1 to {})",
            settings.ranks_per_node,
            most_predicted);
    require(!settings.compute_factor ||
                (std::isfinite(*settings.compute_factor) && *settings.compute_factor > 0.0),
            ErrorKind::usage,
            "scale: --compute-factor is {} (expected a number above 0)",
            settings.compute_factor.value_or(0.0));
}

ScaleSettings settings_of(const Words& words, const po::variables_map& given) {
    ScaleSettings settings{.job = {},
                           .ranks = rank_counts("ranks", words.ranks),
                           .predict = {},
                           .launcher = words.launcher,
                           .folder = words.folder,
                           .topology = words.topology,
                           .ranks_per_node = words.ranks_per_node,
                           .compute_factor = {},
                           .passed_on = {}};
    if (given.contains("predict")) {
        settings.predict = rank_counts("predict", words.predict);
    }
    if (given.contains("compute-factor")) {
        settings.compute_factor = words.compute_factor;
    }
    require(settings.launcher.find("{ranks}") != std::string::npos,
            ErrorKind::usage,
            "scale: --launcher is '{}' (expected a command with {{ranks}} in it)",
            settings.launcher);
    check_prediction(settings, given);
    return settings;
}

}  // namespace

std::vector<std::string> ScaleSettings::arguments_of_run(int count) const {
    std::vector<std::string> arguments{job};
    for (const std::string& word : passed_on) {
        arguments.push_back(with_ranks(word, count));
    }
    return arguments;
}

ScaleSettings parse_scale_settings(const std::vector<std::string>& arguments) {
    namespace style = po::command_line_style;
    Words words;
    po::variables_map given;
    // The job file comes first: further on a word may be the value of an option of `run`.
    std::vector<std::string> rest = arguments;
    std::string job;
    if (!rest.empty() && !rest.front().starts_with('-')) {
        job = rest.front();
        rest.erase(rest.begin());
    }
    std::vector<std::string> passed_on;
    const auto known = describe(words);
    try {
        const auto parsed = po::command_line_parser(rest)
                                .options(known)
                                .style(style::unix_style & ~style::allow_guessing)
                                .allow_unregistered()
                                .run();
        passed_on = po::collect_unrecognized(parsed.options, po::include_positional);
        po::store(parsed, given);
        po::notify(given);
    } catch (const po::error& error) {
        fail(ErrorKind::usage, "scale: {}; see reelyard scale --help", error.what());
    }
    if (words.help) {
        ScaleSettings settings;
        settings.help = true;
        return settings;
    }
    require(!job.empty(),
            ErrorKind::usage,
            "scale: no job file is named in the first place; see reelyard scale --help");
    ScaleSettings settings = settings_of(words, given);
    settings.job = job;
    settings.passed_on = std::move(passed_on);
    return settings;
}

std::string scale_settings_help() {
    Words words;
    std::ostringstream text;
    text << "Runs one job on different numbers of ranks, one run after the other, and compares "
            "them:\na table, scaling.csv and scaling.svg. A run that has been finished is not "
            "repeated.\nWith --predict, rows for more ranks than there are follow, from what the "
            "runs have shown\nand a description of the hardware; each row says whether it was "
            "measured or predicted.\n\n"
            "usage: reelyard scale JOB.ini --ranks 1,2,4,8 [--predict 16,32,64] [options] "
            "[options of run]\n\n"
            "In the options of run, {ranks} stands for the number of ranks: --parallel.ulysses "
            "{ranks}\nmakes each video on all of them; without such an option run chooses.\n\n"
         << describe(words);
    return text.str();
}

}  // namespace reelyard::cli
