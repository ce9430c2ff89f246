#include "reelyard/trace/trace_file.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "reelyard/base/format.hpp"

namespace reelyard::trace {
namespace {

/// As JSON; what is no UTF-8 is replaced.
std::string json_of(std::string_view text) {
    return nlohmann::json(std::string(text))
        .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

const char* category_of(const Event& event) {
    switch (event.kind) {
        case Event::Kind::exchange:
            return "exchange";
        case Event::Kind::wait:
            return "wait";
        case Event::Kind::compute:
            break;
    }
    return "compute";
}

/// The rows of a rank: what it computes, then its groups by their first exchange.
class Rows {
public:
    [[nodiscard]] std::size_t number_of(std::string_view row) {
        const auto found = std::find(names_.begin(), names_.end(), row);
        if (found != names_.end()) {
            return static_cast<std::size_t>(found - names_.begin());
        }
        names_.push_back(row);
        return names_.size() - 1;
    }
    [[nodiscard]] const std::vector<std::string_view>& names() const { return names_; }

private:
    std::vector<std::string_view> names_{compute_row};
};

std::string metadata(int rank, std::size_t row, const char* key, const std::string& value) {
    return fmt::format(
        R"({{"ph":"M","pid":{},"tid":{},"name":"{}","args":{{{}}}}})", rank, row, key, value);
}

/// Times in microseconds, as the format has them.
void append(std::string& text,
            const Event& event,
            std::size_t row,
            const std::string& name,
            const Source& source) {
    fmt::format_to(
        std::back_inserter(text),
        R"({}{{"ph":"X","pid":{},"tid":{},"ts":{:.3f},"dur":{:.3f},"cat":"{}","name":{})",
        separator,
        source.rank,
        row,
        static_cast<double>(event.begin - source.zero) / 1e3,
        static_cast<double>(event.end - event.begin) / 1e3,
        category_of(event),
        name);
    if (event.kind == Event::Kind::exchange) {
        fmt::format_to(std::back_inserter(text), R"(,"args":{{"bytes":{}}})", event.bytes);
    }
    text += '}';
}

}  // namespace

std::string file_beginning() {
    return R"({"displayTimeUnit":"ms","traceEvents":[)"
           "\n";
}

std::string to_text(const Recorder& recorder, const Source& source) {
    const auto process_name = fmt::format("rank {} on {}", source.rank, source.host);
    std::string text =
        metadata(source.rank, 0, "process_name", R"("name":)" + json_of(process_name)) + separator +
        metadata(
            source.rank, 0, "process_sort_index", fmt::format(R"("sort_index":{})", source.rank));
    Rows rows;
    for (const Event& event : recorder.events()) {
        append(text, event, rows.number_of(event.row), json_of(event.name), source);
    }
    for (std::size_t row = 0; row < rows.names().size(); ++row) {
        text +=
            separator +
            metadata(source.rank, row, "thread_name", R"("name":)" + json_of(rows.names()[row]));
        text +=
            separator +
            metadata(source.rank, row, "thread_sort_index", fmt::format(R"("sort_index":{})", row));
    }
    return text;
}

std::string file_end(std::int64_t dropped) {
    return fmt::format("\n],\n\"otherData\":{{\"dropped_events\":{}}}}}\n", dropped);
}

}  // namespace reelyard::trace
