#include "reelyard/trace/span.hpp"

#include "reelyard/base/clock.hpp"
#include "reelyard/base/format.hpp"

namespace reelyard::trace {

void Span::begin(std::string_view name) {
    recorder_->span_begins();
    slot_ = recorder_->begin({.kind = Event::Kind::compute,
                              .row = compute_row,
                              .name = name,
                              .begin = monotonic_nanoseconds()});
}

void Span::begin(std::string_view name, std::int64_t number) {
    begin(fmt::format("{} {}", name, number));
}

void Span::begin(std::string_view name, std::string_view which) {
    begin(fmt::format("{} {}", name, which));
}

void Span::end() {
    const std::int64_t now = monotonic_nanoseconds();
    recorder_->end(slot_, now);
    recorder_->span_ends(now);
}

}  // namespace reelyard::trace
