#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include <c10/util/Exception.h>

#include "reelyard/base/error.hpp"
#include "reelyard/mpi/session.hpp"

#include "command_table.hpp"
#include "reproducibility.hpp"
#include "version.hpp"

namespace reelyard::cli {
namespace {

/// Any exception as an Error, so that it has a message and an exit code.
Error to_error(const std::exception_ptr& exception) {
    try {
        std::rethrow_exception(exception);
    } catch (const Error& error) {
        return error;
    } catch (const c10::OutOfMemoryError& error) {
        return {ErrorKind::resources,
                std::string("out of memory: ") + error.what_without_backtrace()};
    } catch (const c10::Error& error) {
        return {ErrorKind::internal, error.what_without_backtrace()};
    } catch (const std::bad_alloc&) {
        return {ErrorKind::resources, "out of memory"};
    } catch (const std::exception& error) {
        return {ErrorKind::internal, error.what()};
    }
}

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
    make_results_reproducible();
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
