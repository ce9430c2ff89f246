#include "launcher.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include <spawn.h>
#include <sys/wait.h>

#include "reelyard/base/error.hpp"

namespace reelyard::cli {
namespace {

/// "NAME=value" for each variable.
std::vector<std::string> environment_at_start() {
    std::ifstream file("/proc/self/environ", std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    std::vector<std::string> variables;
    for (std::size_t begin = 0; begin < content.size();) {
        const std::size_t end = std::min(content.find('\0', begin), content.size());
        variables.push_back(content.substr(begin, end - begin));
        begin = end + 1;
    }
    return variables;
}

/// As the system wants a list of words: pointers, the last one null.
std::vector<char*> pointers_to(std::vector<std::string>& words) {
    std::vector<char*> pointers;
    pointers.reserve(words.size() + 1);
    for (std::string& word : words) {
        pointers.push_back(word.data());
    }
    pointers.push_back(nullptr);
    return pointers;
}

}  // namespace

std::string with_ranks(const std::string& text, int ranks) {
    constexpr std::string_view mark = "{ranks}";
    std::string filled = text;
    const std::string number = std::to_string(ranks);
    for (auto at = filled.find(mark); at != std::string::npos; at = filled.find(mark, at)) {
        filled.replace(at, mark.size(), number);
    }
    return filled;
}

std::string shell_quoted(const std::string& word) {
    std::string quoted = "'";
    for (const char letter : word) {
        quoted += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
    }
    return quoted + '\'';
}

int run_in_shell(const std::string& command) {
    std::vector<std::string> words{"sh", "-c", command};
    std::vector<std::string> variables = environment_at_start();
    pid_t child = 0;
    const int code = ::posix_spawn(&child,
                                   "/bin/sh",
                                   nullptr,
                                   nullptr,
                                   pointers_to(words).data(),
                                   pointers_to(variables).data());
    require(code == 0, ErrorKind::resources, "cannot start '{}': {}", command, std::strerror(code));
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    constexpr int signalled = 128;
    return WIFEXITED(status) ? WEXITSTATUS(status) : signalled + WTERMSIG(status);
}

}  // namespace reelyard::cli
