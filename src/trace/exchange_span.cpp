#include "reelyard/trace/exchange_span.hpp"

#include "reelyard/base/clock.hpp"

namespace reelyard::trace {

ExchangeSpan::ExchangeSpan(Recorder* recorder,
                           std::string_view group,
                           std::string_view name,
                           std::int64_t bytes)
    : recorder_(recorder) {
    if (recorder_ == nullptr) {
        return;
    }
    const std::int64_t now = monotonic_nanoseconds();
    group_ = recorder_->keep(group);
    slot_ = recorder_->begin({.kind = Event::Kind::exchange,
                              .row = group_,
                              .name = name,
                              .begin = now,
                              .end = 0,
                              .bytes = bytes});
    stage_ = recorder_->exchange_begins(now);
}

ExchangeSpan::ExchangeSpan(ExchangeSpan&& other) noexcept {
    *this = std::move(other);
}

ExchangeSpan& ExchangeSpan::operator=(ExchangeSpan&& other) noexcept {
    std::swap(recorder_, other.recorder_);
    std::swap(slot_, other.slot_);
    std::swap(wait_slot_, other.wait_slot_);
    std::swap(stage_, other.stage_);
    std::swap(group_, other.group_);
    std::swap(waiting_since_, other.waiting_since_);
    return *this;
}

void ExchangeSpan::end() {
    if (recorder_ == nullptr) {
        return;
    }
    const std::int64_t now = monotonic_nanoseconds();
    end_wait(now);
    recorder_->end(slot_, now);
    recorder_->exchange_ends(stage_, now);
    recorder_ = nullptr;
}

void ExchangeSpan::begin_wait() {
    if (recorder_ != nullptr) {
        waiting_since_ = monotonic_nanoseconds();
        wait_slot_ = recorder_->begin(
            {.kind = Event::Kind::wait, .row = group_, .name = "wait", .begin = waiting_since_});
    }
}

void ExchangeSpan::end_wait() {
    if (recorder_ != nullptr) {
        end_wait(monotonic_nanoseconds());
    }
}

void ExchangeSpan::end_wait(std::int64_t time) {
    if (waiting_since_ != not_waiting) {
        recorder_->end(wait_slot_, time);
        recorder_->waited(stage_, time - waiting_since_);
        waiting_since_ = not_waiting;
    }
}

}  // namespace reelyard::trace
