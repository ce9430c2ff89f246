#include "plan_settings.hpp"

#include <algorithm>
#include <sstream>

#include <boost/program_options.hpp>

#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"

#include "../run/prepared_job.hpp"
#include "known_models.hpp"

namespace reelyard::cli {
namespace {

namespace po = boost::program_options;

po::options_description describe(PlanSettings& settings) {
    po::options_description known("options");
    const std::string models = fmt::format("{}: a published model, where there is no store",
                                           fmt::join(known_model_names(), ", "));
    // clang-format off
    known.add_options()
        ("model", po::value(&settings.model)->value_name("NAME"), models.c_str())
        ("topology", po::value<std::string>()->value_name("FILE"),
         "hardware to plan for: JSON, or hwloc XML of one node [this machine]")
        ("nodes", po::value(&settings.nodes)->value_name("N"), "so many nodes like its first one")
        ("ranks-per-node", po::value(&settings.ranks_per_node)->value_name("N"),
         "[one for each GPU, or for each NUMA domain]")
        ("json", po::bool_switch(&settings.json), "print the plan as JSON")
        ("help", po::bool_switch(&settings.help), "print this text");
    // clang-format on
    return known;
}

/// Takes what it knows. \returns the arguments that are left
std::vector<std::string> take_own(PlanSettings& settings,
                                  const std::vector<std::string>& arguments) {
    namespace style = po::command_line_style;
    const auto known = describe(settings);
    try {
        const auto parsed = po::command_line_parser(arguments)
                                .options(known)
                                .style(style::unix_style & ~style::allow_guessing)
                                .allow_unregistered()
                                .run();
        po::variables_map values;
        po::store(parsed, values);
        po::notify(values);
        if (values.contains("topology")) {
            settings.topology = values["topology"].as<std::string>();
        }
        return po::collect_unrecognized(parsed.options, po::include_positional);
    } catch (const po::error& error) {
        fail(ErrorKind::usage, "plan: {}; see reelyard plan --help", error.what());
    }
}

void check(const PlanSettings& settings) {
    const auto names = known_model_names();
    require(settings.model.empty() ||
                std::find(names.begin(), names.end(), settings.model) != names.end(),
            ErrorKind::usage,
            "plan: --model is '{}' (expected one of {}; a store is named by --model.store)",
            settings.model,
            fmt::join(names, ", "));
    require(settings.model.empty() != settings.job.model.store.empty(),
            ErrorKind::usage,
            "plan: {} (expected a job file or --model.store, or --model with one of {})",
            settings.model.empty() ? "no model is named" : "two models are named",
            fmt::join(names, ", "));
    constexpr int most = 4096;
    for (const auto& [name, value] : {std::pair{"nodes", settings.nodes},
                                      std::pair{"ranks-per-node", settings.ranks_per_node}}) {
        require(value >= 0 && value <= most,
                ErrorKind::usage,
                "plan: --{} is {} (expected 1 to {})",
                name,
                value,
                most);
    }
}

}  // namespace

PlanSettings parse_plan_settings(const std::vector<std::string>& arguments) {
    PlanSettings settings;
    const auto left = take_own(settings, arguments);
    if (!settings.help) {
        settings.job = jobs::read_job(left, known_names(), jobs::JobUse::plan);
        check(settings);
    }
    return settings;
}

std::string plan_settings_help() {
    PlanSettings settings;
    std::ostringstream text;
    text << "Shows how a job would be laid out on the hardware that is here or that a file "
            "describes, and what\nits ranks would hold and exchange.\n\n"
            "usage: reelyard plan [JOB.ini] [options] [--section.key VALUE]...\n\n"
         << describe(settings)
         << "\nEvery key of a job file is an option, too (reelyard run --help); these count:\n"
            "[model] store and dtype, [prompts], [generate] size, frames, guidance_scale and\n"
            "sequence_batch, [parallel] cfg, ring, ulysses, tensor, shard_weights and goal.\n";
    return text.str();
}

}  // namespace reelyard::cli
