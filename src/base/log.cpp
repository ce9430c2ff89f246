#include "reelyard/base/log.hpp"

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include "reelyard/base/error.hpp"

namespace reelyard::log {
namespace {

struct State {
    std::shared_ptr<spdlog::logger> logger;  // as spdlog hands loggers out
    std::string prefix;
    int rank = 0;
};

spdlog::level::level_enum to_spdlog(Level level) {
    switch (level) {
        case Level::debug:
            return spdlog::level::debug;
        case Level::info:
            return spdlog::level::info;
        case Level::warning:
            return spdlog::level::warn;
        case Level::error:
            return spdlog::level::err;
    }
    return spdlog::level::info;
}

spdlog::sink_ptr terminal_sink(Level level) {
    auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_mt>();
    sink->set_level(to_spdlog(level));
    sink->set_pattern("%^%v%$");
    return sink;
}

spdlog::sink_ptr file_sink(const std::filesystem::path& path) {
    try {
        auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
        sink->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
        return sink;
    } catch (const spdlog::spdlog_ex& error) {
        fail(ErrorKind::storage,
             "{}: the log file cannot be opened ({})",
             path.string(),
             error.what());
    }
}

// Shared because spdlog hands loggers out so.
std::shared_ptr<spdlog::logger> make_logger(std::vector<spdlog::sink_ptr> sinks) {
    auto logger = std::make_shared<spdlog::logger>("reelyard", sinks.begin(), sinks.end());
    logger->set_level(spdlog::level::debug);
    logger->flush_on(spdlog::level::debug);
    return logger;
}

/// The logger is the one thing that every module writes to without being handed it.
State& state() {
    static State instance{make_logger({terminal_sink(Level::warning)}), "", 0};
    return instance;
}

std::string host_name() {
    std::array<char, 256> name{};
    if (gethostname(name.data(), name.size() - 1) != 0) {
        return "unknown host";
    }
    return name.data();
}

std::string_view label(Level level) {
    switch (level) {
        case Level::warning:
            return "warning: ";
        case Level::error:
            return "error: ";
        default:
            return "";
    }
}

}  // namespace

void configure(const Options& options) {
    std::vector<spdlog::sink_ptr> sinks{terminal_sink(options.level)};
    if (!options.file.empty()) {
        sinks.push_back(file_sink(options.file));
    }
    std::string prefix = options.ranks > 1
                             ? fmt::format("[{}/{} {}] ", options.rank, options.ranks, host_name())
                             : std::string{};
    state() = State{make_logger(std::move(sinks)), std::move(prefix), options.rank};
}

void write(Level level, std::string_view text) {
    const State& current = state();
    current.logger->log(to_spdlog(level), "{}{}{}", current.prefix, label(level), text);
}

void write_once(Level level, std::string_view text) {
    const State& current = state();
    if (current.rank == 0) {
        current.logger->log(to_spdlog(level), "{}{}", label(level), text);
    }
}

}  // namespace reelyard::log
