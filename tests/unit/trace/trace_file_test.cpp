#include "reelyard/trace/trace_file.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "reelyard/trace/exchange_span.hpp"
#include "reelyard/trace/span.hpp"

namespace reelyard::trace {
namespace {

using nlohmann::json;

json file_of(const std::vector<std::string>& ranks, std::int64_t dropped) {
    std::string text = file_beginning();
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        text += (i == 0 ? "" : separator) + ranks[i];
    }
    return json::parse(text + file_end(dropped));
}

/// What the file calls the processes, or the rows of process 0.
std::map<int, std::string> names_of(const json& file, const std::string& kind, const char* key) {
    std::map<int, std::string> names;
    for (const json& event : file.at("traceEvents")) {
        if (event.at("ph") == "M" && event.at("name") == kind &&
            (kind == "process_name" || event.at("pid") == 0)) {
            names[event.at(key)] = event.at("args").at("name");
        }
    }
    return names;
}

std::vector<json> events_of(const json& file) {
    std::vector<json> events;
    for (const json& event : file.at("traceEvents")) {
        if (event.at("ph") == "X") {
            events.push_back(event);
        }
    }
    return events;
}

TEST(TraceFile, has_a_process_for_each_rank_and_a_row_for_each_group) {
    Recorder first;
    {
        const Span block(&first, "block", 3);
        ExchangeSpan rotate(&first, "ring group of replica 0", "ring rotate", 4096);
        const ExchangeSpan::Wait wait(rotate);
    }
    const Recorder idle;

    const json file = file_of({to_text(first, {.rank = 0, .host = "n1", .zero = first.start()}),
                               to_text(idle, {.rank = 1, .host = "n2", .zero = idle.start()})},
                              0);

    EXPECT_EQ(names_of(file, "process_name", "pid"),
              (std::map<int, std::string>{{0, "rank 0 on n1"}, {1, "rank 1 on n2"}}));
    EXPECT_EQ(names_of(file, "thread_name", "tid"),
              (std::map<int, std::string>{{0, "compute"}, {1, "ring group of replica 0"}}));
    const std::vector<json> events = events_of(file);
    ASSERT_EQ(events.size(), 3U);
    EXPECT_EQ(events[0].at("name"), "block 3");
    EXPECT_EQ(events[0].at("tid"), 0);
    EXPECT_EQ(events[1].at("name"), "ring rotate");
    EXPECT_EQ(events[1].at("tid"), 1);
    EXPECT_EQ(events[1].at("args").at("bytes"), 4096);
    EXPECT_EQ(events[2].at("name"), "wait");
    EXPECT_EQ(events[2].at("tid"), 1);
}

TEST(TraceFile, counts_microseconds_from_zero) {
    Recorder recorder;
    { const Span work(&recorder, "work"); }
    const Event event = recorder.events().front();

    const json file =
        file_of({to_text(recorder, {.rank = 0, .host = "n", .zero = event.begin - 1'234'567})}, 0);

    const std::vector<json> events = events_of(file);
    ASSERT_EQ(events.size(), 1U);
    EXPECT_DOUBLE_EQ(events[0].at("ts").get<double>(), 1234.567);
    EXPECT_NEAR(
        events[0].at("dur").get<double>() * 1e3, static_cast<double>(event.end - event.begin), 0.6);
}

TEST(TraceFile, takes_names_of_any_text) {
    Recorder recorder;
    { const Span task(&recorder, "task", "a \"quoted\"\n\\ name, é, and \xff"); }

    const json file = file_of({to_text(recorder, {.rank = 0, .host = "a\tb", .zero = 0})}, 0);

    EXPECT_EQ(events_of(file).at(0).at("name"), "task a \"quoted\"\n\\ name, é, and \uFFFD");
}

TEST(TraceFile, says_how_many_events_had_no_room) {
    const json file = file_of({to_text(Recorder(), {})}, 17);

    EXPECT_EQ(file.at("otherData").at("dropped_events"), 17);
}

}  // namespace
}  // namespace reelyard::trace
