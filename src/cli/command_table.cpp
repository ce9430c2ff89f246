#include "command_table.hpp"

#include <algorithm>
#include <array>

#include "reelyard/base/error.hpp"

#include "commands/bench.hpp"
#include "commands/eval.hpp"
#include "commands/import.hpp"
#include "commands/inspect.hpp"
#include "commands/plan.hpp"
#include "commands/run.hpp"
#include "commands/scale.hpp"
#include "commands/stage.hpp"
#include "commands/topology.hpp"

namespace reelyard::cli {
namespace {

constexpr std::array commands{
    Command{"import", "turn a checkpoint folder into one weight store", import_command},
    Command{"inspect", "show what a weight store holds, and verify it", inspect_command},
    Command{"stage", "copy a weight store to every node, once per job", stage_command},
    Command{"topology", "show the nodes, GPUs and links that ranks are on", topology_command},
    Command{"plan", "show how a job would be laid out, here or on other hardware", plan_command},
    Command{"run", "make the videos of a job (under mpirun or srun)", run_command},
    Command{"eval", "compute one component on given tensors", eval_command},
    Command{"scale", "compare one job on different numbers of ranks", scale_command},
    Command{"bench", "measure one part of a job by itself", bench_command},
};

}  // namespace

std::span<const Command> command_table() {
    return commands;
}

const Command& find_command(std::string_view name) {
    const auto* found = std::find_if(commands.begin(), commands.end(), [&](const Command& command) {
        return command.name == name;
    });
    if (found == commands.end()) {
        std::vector<std::string_view> names;
        names.reserve(commands.size());
        for (const Command& command : commands) {
            names.push_back(command.name);
        }
        fail(ErrorKind::usage,
             "'{}' is no command (expected one of: {}); see reelyard --help",
             name,
             fmt::join(names, ", "));
    }
    return *found;
}

std::string program_help() {
    std::string text =
        "Reelyard turns lists of prompts into videos with open video-diffusion models, on one core "
        "or many nodes.\n\n"
        "usage: reelyard COMMAND [options]\n"
        "       mpirun -n N reelyard COMMAND [options]\n\n"
        "commands:\n";
    for (const Command& command : commands) {
        text += fmt::format("  {:<10} {}\n", command.name, command.summary);
    }
    text +=
        "\n  reelyard COMMAND --help   the options of a command\n"
        "  reelyard --version        versions of the program and of what it stands on\n\n"
        "exit codes: 0 done; 1 done, but some prompts failed; 2 wrong usage; 3 bad input file; 4 "
        "memory, disk or time\n"
        "do not suffice; 5 storage failed; 6 communication failed; 70 a bug; 75 stopped early, a "
        "rerun goes on\n";
    return text;
}

}  // namespace reelyard::cli
