#include "reelyard/mpi/agreement.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <new>
#include <sstream>
#include <utility>

namespace reelyard::mpi {
namespace {

/// Lengths and texts one after the other: "<kind> <lines>\n" then "<length>\n<text>" for the
/// message and each line of context.
std::string to_text(const Error& error) {
    std::ostringstream out;
    out << error.exit_code() << ' ' << error.context().size() << '\n';
    out << error.message().size() << '\n' << error.message();
    for (const std::string& line : error.context()) {
        out << line.size() << '\n' << line;
    }
    return out.str();
}

std::string read_string(std::istringstream& in) {
    std::size_t length = 0;
    in >> length;
    in.ignore(1);
    std::string text(length, ' ');
    in.read(text.data(), static_cast<std::streamsize>(length));
    return text;
}

Error to_error(const std::string& text) {
    std::istringstream in(text);
    int kind = 0;
    std::size_t lines = 0;
    in >> kind >> lines;
    in.ignore(1);
    Error error(static_cast<ErrorKind>(kind), read_string(in));
    for (std::size_t i = 0; i < lines; ++i) {
        error.add_context(read_string(in));
    }
    return error;
}

/// What `body` throws, as an Error; nothing when it returns.
std::optional<Error> failure_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        return error;
    } catch (const std::bad_alloc&) {
        return Error(ErrorKind::resources, "out of memory");
    } catch (const std::exception& error) {
        return Error(ErrorKind::internal, error.what());
    }
    return std::nullopt;
}

}  // namespace

void agree(const Communicator& group, const std::optional<Error>& error) {
    if (error && error->kind() == ErrorKind::communication) {
        throw Error(*error);
    }
    // The lowest rank that failed, counted from the end so that a maximum finds it.
    const std::int64_t own = error ? group.size() - group.rank() : 0;
    const std::int64_t lowest = group.max(own);
    if (lowest == 0) {
        return;
    }
    const int origin = group.size() - static_cast<int>(lowest);
    const std::string text = group.broadcast_text(error ? to_text(*error) : "", origin);
    Error common = origin == group.rank() ? *error : to_error(text);
    if (origin != group.rank()) {
        common.add_context(fmt::format("on rank {}", origin));
    }
    common.mark_shared();
    throw Error(std::move(common));
}

void together(const Communicator& group, const std::function<void()>& body) {
    agree(group, failure_of(body));
}

std::string on_root(const Communicator& group, const std::function<std::string()>& body) {
    std::string text;
    together(group, [&] {
        if (group.rank() == 0) {
            text = body();
        }
    });
    return group.broadcast_text(std::move(text), 0);
}

}  // namespace reelyard::mpi
