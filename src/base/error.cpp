#include "reelyard/base/error.hpp"

namespace reelyard {

std::string_view to_string(ErrorKind kind) {
    switch (kind) {
        case ErrorKind::usage:
            return "usage";
        case ErrorKind::input:
            return "input";
        case ErrorKind::resources:
            return "resources";
        case ErrorKind::storage:
            return "storage";
        case ErrorKind::communication:
            return "communication";
        case ErrorKind::internal:
            return "internal";
        case ErrorKind::stopped:
            return "stopped";
    }
    return "unknown";
}

Error::Error(ErrorKind kind, std::string message, std::source_location where)
    : kind_(kind)
    , message_(std::move(message))
    , where_(where)
    , what_(message_) {}

void Error::add_context(std::string line) {
    context_.push_back(std::move(line));
    what_ = fmt::format("{} (while {})", message_, fmt::join(context_, ", while "));
}

void detail::contract_broken(const char* condition, std::source_location where) {
    throw Error(ErrorKind::internal,
                fmt::format("{}:{}: '{}' does not hold in {}; this is a bug of the program",
                            where.file_name(),
                            where.line(),
                            condition,
                            where.function_name()),
                where);
}

}  // namespace reelyard
