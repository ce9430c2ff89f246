#include "scale.hpp"

#include <filesystem>
#include <iostream>
#include <optional>

#include "reelyard/base/atomic_file.hpp"
#include "reelyard/base/error.hpp"
#include "reelyard/base/format.hpp"
#include "reelyard/base/log.hpp"
#include "reelyard/report/scaling_table.hpp"

#include "../scale/launcher.hpp"
#include "../scale/prediction.hpp"
#include "../scale/scale_settings.hpp"

namespace reelyard::cli {
namespace {

std::string command_for(const ScaleSettings& settings,
                        int ranks,
                        const std::filesystem::path& output) {
    const auto program = std::filesystem::read_symlink("/proc/self/exe");
    std::string command =
        with_ranks(settings.launcher, ranks) + ' ' + shell_quoted(program.string()) + " run";
    for (const std::string& word : settings.arguments_of_run(ranks)) {
        command += ' ' + shell_quoted(word);
    }
    return command + " --output.dir " + shell_quoted(output.string());
}

report::RunRecord run_on(const ScaleSettings& settings, int ranks) {
    const auto output = settings.folder / fmt::format("ranks-{}", ranks);
    const auto record = output / report::run_record_name;
    if (!std::filesystem::exists(record)) {
        const std::string command = command_for(settings, ranks, output);
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
    const ScaleSettings settings = parse_scale_settings(arguments);
    if (settings.help) {
        std::cout << scale_settings_help();
        return 0;
    }
    require(session.world().size() == 1,
            ErrorKind::usage,
            "scale: started on {} ranks (expected one: it starts the ranks itself)",
            session.world().size());
    log::configure({.level = log::Level::info});
    std::optional<Prediction> prediction;
    if (!settings.predict.empty()) {
        prediction.emplace(settings, session.world());
    }
    std::filesystem::create_directories(settings.folder);
    std::vector<report::RunRecord> runs;
    report::ScalingRows rows;
    for (const int ranks : settings.ranks) {
        runs.push_back(run_on(settings, ranks));
        rows.push_back(report::measured_row(runs.back()));
    }
    if (prediction) {
        const report::ScalingRows more = prediction->rows(runs);
        rows.insert(rows.end(), more.begin(), more.end());
    }
    write_file_atomically(settings.folder / "scaling.csv", report::scaling_csv(rows));
    write_file_atomically(settings.folder / "scaling.svg",
                          report::scaling_svg(rows, settings.job + " on " + rows.front().device));
    std::cout << report::scaling_text(rows)
              << "table: " << (settings.folder / "scaling.csv").string()
              << ", plot: " << (settings.folder / "scaling.svg").string() << '\n';
    return 0;
}

}  // namespace reelyard::cli
