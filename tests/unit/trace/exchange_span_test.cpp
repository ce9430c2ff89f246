#include "reelyard/trace/exchange_span.hpp"

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "reelyard/base/clock.hpp"
#include "reelyard/trace/span.hpp"

namespace reelyard::trace {
namespace {

std::int64_t length_of(const Event& event) {
    return event.end - event.begin;
}

TEST(ExchangeSpan, begins_before_what_is_computed_meanwhile_and_ends_with_the_wait_for_it) {
    Recorder recorder;
    {
        const Span stage(&recorder, "denoise");
        ExchangeSpan exchange(&recorder, "ring group", "ring rotate", 1200);
        { const Span block(&recorder, "block", 7); }
        const ExchangeSpan::Wait wait(exchange);
        exchange.end();
    }

    const std::vector<Event> events = recorder.events();

    ASSERT_EQ(events.size(), 4U);
    const Event& exchange = events[1];
    const Event& block = events[2];
    const Event& wait = events[3];
    EXPECT_EQ(exchange.kind, Event::Kind::exchange);
    EXPECT_EQ(exchange.row, "ring group");
    EXPECT_EQ(exchange.name, "ring rotate");
    EXPECT_EQ(exchange.bytes, 1200);
    EXPECT_EQ(wait.kind, Event::Kind::wait);
    EXPECT_EQ(wait.row, exchange.row);
    EXPECT_LE(exchange.begin, block.begin);
    EXPECT_LE(block.end, wait.begin);
    EXPECT_EQ(wait.end, exchange.end);
    EXPECT_EQ(recorder.exchange_time().in_flight, length_of(exchange));
    EXPECT_EQ(recorder.exchange_time().waited, length_of(wait));
}

TEST(ExchangeSpan, that_is_through_before_it_is_waited_for_has_no_wait) {
    Recorder recorder;
    ExchangeSpan exchange(&recorder, "ring group", "ring rotate", 0);
    exchange.end();
    { const ExchangeSpan::Wait wait(exchange); }

    EXPECT_EQ(recorder.events().size(), 1U);
    EXPECT_EQ(recorder.exchange_time().waited, 0);
}

TEST(ExchangeSpan, time_of_two_at_once_counts_once) {
    Recorder recorder;
    std::optional<ExchangeSpan> first(std::in_place, &recorder, "a", "a gather", 1);
    std::optional<ExchangeSpan> second(std::in_place, &recorder, "b", "b gather", 2);
    first.reset();
    second.reset();
    { const ExchangeSpan alone(&recorder, "a", "a gather", 3); }

    const std::vector<Event> events = recorder.events();

    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(recorder.exchange_time().in_flight,
              events[1].end - events[0].begin + length_of(events[2]));
}

TEST(ExchangeSpan, that_outlasts_a_stage_counts_up_to_its_end_and_where_it_is_waited_for) {
    Recorder recorder;
    {
        std::optional<Span> stage(std::in_place, &recorder, "denoise");
        ExchangeSpan gather(&recorder, "shards", "shards all-gather", 1);
        stage.reset();
        const Span next_stage(&recorder, "decode");
        const ExchangeSpan::Wait wait(gather);
        gather.end();
    }

    const std::vector<Event> events = recorder.events();

    ASSERT_EQ(events.size(), 4U);
    const Event& stage = events[0];
    const Event& gather = events[1];
    const Event& wait = events[3];
    EXPECT_EQ(recorder.exchange_time().waited, length_of(wait));
    EXPECT_EQ(recorder.exchange_time().in_flight, stage.end - gather.begin + length_of(wait));
}

TEST(ExchangeSpan, goes_on_in_another_object) {
    Recorder recorder;
    {
        ExchangeSpan kept;
        {
            ExchangeSpan made(&recorder, "a", "a gather", 1);
            kept = std::move(made);
        }
        EXPECT_TRUE(recorder.events().empty());
    }

    EXPECT_EQ(recorder.events().size(), 1U);
}

TEST(ExchangeSpan, times_hold_where_there_was_no_room_for_events) {
    Recorder recorder(0);
    const std::int64_t before = monotonic_nanoseconds();
    {
        ExchangeSpan exchange(&recorder, "a", "a gather", 1);
        const ExchangeSpan::Wait wait(exchange);
        const std::int64_t waited_since = monotonic_nanoseconds();
        while (monotonic_nanoseconds() == waited_since) {
        }
    }
    const std::int64_t after = monotonic_nanoseconds();

    EXPECT_TRUE(recorder.events().empty());
    EXPECT_EQ(recorder.dropped(), 2);
    EXPECT_GT(recorder.exchange_time().waited, 0);
    EXPECT_GE(recorder.exchange_time().in_flight, recorder.exchange_time().waited);
    EXPECT_LE(recorder.exchange_time().in_flight, after - before);
}

TEST(ExchangeSpan, without_a_recorder_is_nothing) {
    EXPECT_NO_THROW({
        ExchangeSpan exchange(nullptr, "a", "a gather", 1);
        const ExchangeSpan::Wait wait(exchange);
        exchange.end();
    });
}

}  // namespace
}  // namespace reelyard::trace
