#include "support/program.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include <sys/wait.h>

#include "reelyard/base/error.hpp"

namespace reelyard::parity {
namespace {

/// For the shell: in single quotes.
std::string quoted(const std::string& text) {
    std::string result = "'";
    for (const char c : text) {
        result += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return result + "'";
}

}  // namespace

std::string command_line(const std::vector<std::string>& arguments, int ranks) {
    std::string command;
    if (ranks > 1) {
        // The program shares the cores out itself; the number of threads of one rank would be too
        // many here.
        command = "env -u OMP_NUM_THREADS " REELYARD_MPIRUN " -n " + std::to_string(ranks) + " ";
    }
    command += quoted(REELYARD_PROGRAM);
    for (const std::string& argument : arguments) {
        command += " " + quoted(argument);
    }
    return command;
}

Outcome run_program(const std::vector<std::string>& arguments,
                    int ranks,
                    const std::string& before) {
    const std::string command = before + command_line(arguments, ranks);
    FILE* const pipe = popen(("{ " + command + "; } 2>&1").c_str(), "r");
    require(pipe != nullptr, ErrorKind::resources, "cannot start: {}", command);
    Outcome outcome;
    std::array<char, 4096> buffer{};
    for (std::size_t n = 0; (n = fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
        outcome.output.append(buffer.data(), n);
    }
    const int status = pclose(pipe);
    outcome.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return outcome;
}

ScratchFolder::ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "reelyard-parity-XXXXXX").string();
    require(mkdtemp(name.data()) != nullptr, ErrorKind::storage, "cannot make a folder {}", name);
    path_ = name;
}

ScratchFolder::~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

}  // namespace reelyard::parity
