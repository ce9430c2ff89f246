#include "reelyard/trace/span.hpp"

#include <cstdint>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "reelyard/base/clock.hpp"

namespace reelyard::trace {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> names_of(const std::vector<Event>& events) {
    std::vector<std::string> names;
    names.reserve(events.size());
    for (const Event& event : events) {
        names.emplace_back(event.name);
    }
    return names;
}

TEST(Span, nests_as_the_code_does) {
    Recorder recorder;
    {
        const Span step(&recorder, "step", 1);
        {
            const Span block(&recorder, "block", 0);
            const Span attention(&recorder, "attention");
        }
        const Span next(&recorder, "block", 1);
    }
    { const Span decode(&recorder, "decode", "a prompt"); }

    const std::vector<Event> events = recorder.events();

    ASSERT_THAT(names_of(events),
                ElementsAre("step 1", "block 0", "attention", "block 1", "decode a prompt"));
    const auto contains = [&](std::size_t outer, std::size_t inner) {
        return events[outer].begin <= events[inner].begin && events[inner].end <= events[outer].end;
    };
    EXPECT_TRUE(contains(0, 1));
    EXPECT_TRUE(contains(1, 2));
    EXPECT_TRUE(contains(0, 3));
    EXPECT_LE(events[1].end, events[3].begin);
    EXPECT_LE(events[0].end, events[4].begin);
    for (const Event& event : events) {
        EXPECT_EQ(event.kind, Event::Kind::compute);
        EXPECT_EQ(event.row, compute_row);
    }
}

TEST(Span, lies_between_the_times_before_and_after_it) {
    Recorder recorder;
    const std::int64_t before = monotonic_nanoseconds();
    { const Span span(&recorder, "work"); }
    const std::int64_t after = monotonic_nanoseconds();

    const std::vector<Event> events = recorder.events();

    ASSERT_EQ(events.size(), 1U);
    EXPECT_LE(recorder.start(), before);
    EXPECT_LE(before, events[0].begin);
    EXPECT_LE(events[0].end, after);
}

TEST(Span, what_has_not_ended_is_not_there_yet) {
    Recorder recorder;
    const Span open(&recorder, "open");
    { const Span done(&recorder, "done"); }

    EXPECT_THAT(names_of(recorder.events()), ElementsAre("done"));
}

TEST(Span, without_a_recorder_is_nothing) {
    const Span span(nullptr, "step", 1);
    const Span named(nullptr, "task", "a");

    EXPECT_THAT(Recorder().events(), IsEmpty());
}

TEST(Recorder, keeps_the_first_events_and_counts_the_others) {
    Recorder recorder(3);
    for (int i = 0; i < 5; ++i) {
        const Span span(&recorder, "block", i);
    }

    EXPECT_THAT(names_of(recorder.events()), ElementsAre("block 0", "block 1", "block 2"));
    EXPECT_EQ(recorder.dropped(), 2);
}

}  // namespace
}  // namespace reelyard::trace
