/// Feeds a reader with mutated inputs. The same seed gives the same inputs on every machine; an
/// input that fails can be repeated by its number.
///
/// usage: fuzz_NAME CORPUS [--seed S] [--inputs N] [--only K]

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>

#include <nlohmann/json.hpp>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "reelyard/base/error.hpp"

#include "fuzz_target.hpp"

namespace reelyard::fuzz {
namespace {

struct Options {
    std::string corpus;
    std::uint64_t seed = 1;
    std::uint64_t first = 0;
    std::uint64_t inputs = 20'000;
    bool is_single = false;
};

/// Known to both processes, whatever happens to the one that reads.
struct Progress {
    std::uint64_t input = 0;
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;
};

Options parse_options(const std::vector<std::string>& arguments) {
    expect(arguments.size() % 2 == 0, "usage: CORPUS [--seed S] [--inputs N] [--only K]");
    Options options{.corpus = arguments[1]};
    for (std::size_t i = 2; i < arguments.size(); i += 2) {
        const std::string& text = arguments[i + 1];
        std::uint64_t number = 0;
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
        expect(code == std::errc() && end == text.data() + text.size(), text + ": not a number");
        if (arguments[i] == "--seed") {
            options.seed = number;
        } else if (arguments[i] == "--inputs") {
            options.inputs = number;
        } else {
            expect(arguments[i] == "--only", arguments[i] + ": unknown option");
            options.first = number;
            options.inputs = 1;
            options.is_single = true;
        }
    }
    return options;
}

/// Input number `number`: the seeds themselves, then their mutations.
std::string make_input(const Target& target,
                       const std::vector<Tokens>& tokens,
                       std::uint64_t seed,
                       std::uint64_t number) {
    Random random(seed, number);
    if (number < target.seeds.size()) {
        const auto own = static_cast<std::size_t>(number);
        return target.frame(target.seeds[own], own);
    }
    const std::size_t own = random.below(tokens.size());
    const bool by_bytes = random.once_in(8);
    const std::string text = by_bytes && random.once_in(2)
                                 ? target.seeds[own]
                                 : mutate_tokens(tokens[own], random.one_of(tokens), random);
    std::string input = target.frame(text, own);
    if (random.once_in(10)) {
        target.lie(input, random);
    }
    return by_bytes ? mutate_bytes(input, random) : input;
}

void run(const Target& target, const Options& options, Progress& progress) {
    std::vector<Tokens> tokens;
    std::transform(target.seeds.begin(), target.seeds.end(), std::back_inserter(tokens), to_tokens);
    for (std::uint64_t i = 0; i < options.inputs; ++i) {
        progress.input = options.first + i;
        const std::string input = make_input(target, tokens, options.seed, progress.input);
        const Verdict verdict = target.check(input);
        ++(verdict == Verdict::accepted ? progress.accepted : progress.refused);
        expect(progress.input >= target.seeds.size() || verdict == Verdict::accepted,
               "a seed is refused");
    }
}

/// Runs in a process of its own, so that a crash can be told with the number of its input.
bool run_apart(const Target& target, const Options& options, Progress& progress) {
    const pid_t child = fork();
    expect(child >= 0, "fork failed");
    if (child == 0) {
        try {
            run(target, options, progress);
            std::_Exit(0);
        } catch (const std::exception& error) {
            std::cerr << target.name << ": " << error.what() << std::endl;
        }
        std::_Exit(1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) {
        std::cerr << target.name << ": ended by signal " << WTERMSIG(status) << '\n';
    }
    return status == 0;
}

int fuzz(const Options& options) {
    const Target target = make_target(options.corpus);
    void* shared =
        mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    expect(shared != MAP_FAILED, "mmap failed");
    auto& progress = *new (shared) Progress();
    if (options.is_single) {
        run(target, options, progress);
    } else if (!run_apart(target, options, progress)) {
        std::cerr << target.name << ": input " << progress.input << " of seed " << options.seed
                  << " failed; repeat it with --seed " << options.seed << " --only "
                  << progress.input << '\n';
        return EXIT_FAILURE;
    }
    std::cout << target.name << ": seed " << options.seed << ", " << options.inputs
              << " inputs: " << progress.accepted << " accepted, " << progress.refused
              << " refused\n";
    return EXIT_SUCCESS;
}

}  // namespace

void expect(bool condition, const std::string& what) {
    if (!condition) {
        throw std::logic_error(what);
    }
}

Verdict read_or_refuse(const std::function<void()>& read, const std::string& place) {
    try {
        read();
        return Verdict::accepted;
    } catch (const Error& error) {
        const std::string what = error.what();
        expect(error.kind() == ErrorKind::input,
               "refused as '" + std::string(to_string(error.kind())) + "': " + what);
        expect(what.find(place) != std::string::npos, "the place is not named: " + what);
        (void)nlohmann::json(what).dump();  // throws when it is no UTF-8
        return Verdict::refused;
    }
}

std::vector<std::string> read_files(const std::string& folder) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    expect(!paths.empty(), folder + ": has no files");
    std::vector<std::string> contents;
    for (const auto& path : paths) {
        std::ifstream in(path, std::ios::binary);
        contents.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    return contents;
}

}  // namespace reelyard::fuzz

int main(int argc, char** argv) {
    try {
        const std::vector<std::string> arguments(argv, argv + argc);
        return reelyard::fuzz::fuzz(reelyard::fuzz::parse_options(arguments));
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return EXIT_FAILURE;
    }
}
