#include "reelyard/trace/recorder.hpp"

#include <algorithm>
#include <iterator>

#include "reelyard/base/clock.hpp"

namespace reelyard::trace {

Recorder::Recorder(std::size_t most_events)
    : most_events_(most_events)
    , start_(monotonic_nanoseconds()) {}

std::vector<Event> Recorder::events() const {
    std::vector<Event> ended;
    ended.reserve(events_.size());
    std::copy_if(events_.begin(), events_.end(), std::back_inserter(ended), [](const Event& event) {
        return event.end >= event.begin;
    });
    return ended;
}

Recorder::Slot Recorder::begin(const Event& event) {
    if (events_.size() >= most_events_) {
        ++dropped_;
        return no_slot;
    }
    events_.push_back(event);
    Event& kept = events_.back();
    kept.row = keep(event.row);
    kept.name = keep(event.name);
    kept.end = event.begin - 1;  // under way
    return static_cast<Slot>(events_.size()) - 1;
}

void Recorder::end(Slot slot, std::int64_t time) {
    if (slot != no_slot) {
        events_[static_cast<std::size_t>(slot)].end = time;
    }
}

void Recorder::span_ends(std::int64_t time) {
    --open_spans_;
    if (open_spans_ > 0) {
        return;
    }
    if (exchanges_under_way_ > 0) {
        exchange_time_.in_flight += time - under_way_since_;
    }
    exchanges_under_way_ = 0;
    ++stage_;
}

std::int64_t Recorder::exchange_begins(std::int64_t time) {
    if (exchanges_under_way_ == 0) {
        under_way_since_ = time;
    }
    ++exchanges_under_way_;
    return stage_;
}

void Recorder::exchange_ends(std::int64_t stage, std::int64_t time) {
    if (stage != stage_) {
        return;
    }
    --exchanges_under_way_;
    if (exchanges_under_way_ == 0) {
        exchange_time_.in_flight += time - under_way_since_;
    }
}

void Recorder::waited(std::int64_t stage, std::int64_t duration) {
    exchange_time_.waited += duration;
    if (stage != stage_) {
        exchange_time_.in_flight += duration;
    }
}

std::string_view Recorder::keep(std::string_view text) {
    const auto found = texts_.find(text);
    return found != texts_.end() ? *found : *texts_.emplace(text).first;
}

}  // namespace reelyard::trace
