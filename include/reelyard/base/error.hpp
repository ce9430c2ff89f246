#pragma once

#include <concepts>
#include <exception>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reelyard/base/format.hpp"

namespace reelyard {

/// What went wrong; the value is the exit code of the program.
enum class ErrorKind : int {
    usage = 2,          ///< an option or the command line
    input = 3,          ///< a file the user gave: job, prompts, checkpoint, store
    resources = 4,      ///< memory, disk space, time or devices do not suffice
    storage = 5,        ///< reading or writing failed
    communication = 6,  ///< MPI or NCCL failed
    internal = 70,      ///< a bug of the program
    stopped = 75,       ///< stopped early on request; a rerun goes on
};

/// The name of a kind as it appears in messages, e.g. "input".
[[nodiscard]] std::string_view to_string(ErrorKind kind);

/// The one exception type of the program.
///
/// The message has the form *place: what was found (what was expected)[; what to do]*. Context
/// lines are added on the way up by in_context(), innermost first.
class Error : public std::exception {
public:
    Error(ErrorKind kind,
          std::string message,
          std::source_location where = std::source_location::current());

    [[nodiscard]] ErrorKind kind() const { return kind_; }
    [[nodiscard]] int exit_code() const { return static_cast<int>(kind_); }
    [[nodiscard]] const std::string& message() const { return message_; }
    [[nodiscard]] const std::vector<std::string>& context() const { return context_; }
    [[nodiscard]] const std::source_location& where() const { return where_; }

    /// Message and context in one line: "message (while ..., while ...)".
    [[nodiscard]] const char* what() const noexcept override { return what_.c_str(); }

    void add_context(std::string line);

    /// Whether every rank of the job has this same error, so that one of them speaks for all and
    /// each can end in order.
    [[nodiscard]] bool is_shared() const { return shared_; }
    void mark_shared() { shared_ = true; }

private:
    ErrorKind kind_;
    bool shared_ = false;
    std::string message_;
    std::vector<std::string> context_;
    std::source_location where_;
    std::string what_;
};

/// A format string that also records where it was written.
template <typename... Args>
struct LocatedFormat {
    template <typename Text>
    requires std::convertible_to<const Text&, std::string_view>
    consteval LocatedFormat(const Text& text_in,
                            std::source_location where_in = std::source_location::current())
        : text(text_in)
        , where(where_in) {}

    fmt::format_string<Args...> text;
    std::source_location where;
};

/// Throws an Error of `kind`.
template <typename... Args>
[[noreturn]] void fail(ErrorKind kind,
                       LocatedFormat<std::type_identity_t<Args>...> message,
                       Args&&... args) {
    throw Error(kind, fmt::format(message.text, std::forward<Args>(args)...), message.where);
}

/// Throws an Error of `kind` unless `condition`; for what users, files and machines can cause.
template <typename... Args>
void require(bool condition,
             ErrorKind kind,
             LocatedFormat<std::type_identity_t<Args>...> message,
             Args&&... args) {
    if (!condition) {
        throw Error(kind, fmt::format(message.text, std::forward<Args>(args)...), message.where);
    }
}

/// Runs `body`; an Error that leaves it gets the formatted line as context.
template <typename Body, typename... Args>
decltype(auto) in_context(Body&& body, fmt::format_string<Args...> text, Args&&... args) {
    try {
        return std::forward<Body>(body)();
    } catch (Error& error) {
        error.add_context(fmt::format(text, std::forward<Args>(args)...));
        throw;
    }
}

namespace detail {
[[noreturn]] void contract_broken(const char* condition, std::source_location where);
}  // namespace detail

}  // namespace reelyard

/// States what must hold if the program itself is right; throws an `internal` Error otherwise.
#if REELYARD_CONTRACTS
#define REELYARD_EXPECT(condition) \
    ((condition)                   \
         ? void()                  \
         : ::reelyard::detail::contract_broken(#condition, std::source_location::current()))
#else
#define REELYARD_EXPECT(condition) void()
#endif
