#include <exception>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/session.hpp"

#include "command_table.hpp"
#include "error_translation.hpp"
#include "version.hpp"

namespace reelyard::cli {
namespace {

void print(const Error& error) {
    // One write per error: several ranks may fail at once.
    std::cerr << "reelyard: error: " + std::string(error.what()) + "\n" << std::flush;
}

/// Runs the command; an error of one rank alone ends the job on all of them.
int run_in_session(const Command& command,
                   const std::vector<std::string>& arguments,
                   const mpi::Session& session) {
    try {
        return command.run(arguments, session);
    } catch (...) {
        const Error error = to_error(std::current_exception());
        if (session.world().rank() == 0 || !error.is_shared()) {
            print(error);
        }
        if (!error.is_shared() && session.world().size() > 1) {
            session.abort(error.exit_code());
        }
        return error.exit_code();
    }
}

int run_program(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (words.empty() || words.front() == "--help" || words.front() == "-h" ||
        words.front() == "help") {
        std::cout << program_help();
        return words.empty() ? static_cast<int>(ErrorKind::usage) : 0;
    }
    if (words.front() == "--version") {
        std::cout << version_text();
        return 0;
    }
    const Command& command = find_command(words.front());
    const mpi::Session session(&argc, &argv);
    return run_in_session(command, {words.begin() + 1, words.end()}, session);
}

}  // namespace
}  // namespace reelyard::cli

int main(int argc, char** argv) {
    try {
        return reelyard::cli::run_program(argc, argv);
    } catch (...) {
        const reelyard::Error error = reelyard::cli::to_error(std::current_exception());
        reelyard::cli::print(error);
        return error.exit_code();
    }
}
