#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "support/program.hpp"

// `reelyard bench comm` as a user sees it: what it lists, what it counts, what it refuses.
namespace reelyard::cli {
namespace {

using nlohmann::json;
using parity::Outcome;
using parity::run_program;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

/// The figures of a run. What mpirun may say stands around them.
json figures(int ranks, const std::vector<std::string>& more) {
    std::vector<std::string> arguments{
        "bench", "comm", "--json", "--device=cpu", "--repetitions=2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_program(arguments, ranks);
    const auto begin = outcome.output.find('{');
    const auto end = outcome.output.rfind('}');
    if (outcome.exit_code != 0 || begin == std::string::npos || end == std::string::npos) {
        throw std::runtime_error("no figures in: " + outcome.output);  // fails the test
    }
    return json::parse(outcome.output.substr(begin, end + 1 - begin));
}

/// Bytes received at one of the sizes, by operation.
std::map<std::string, std::int64_t> received(const json& found, std::size_t size) {
    std::map<std::string, std::int64_t> bytes;
    for (const json& operation : found["operations"]) {
        const json& sizes = operation["sizes"];
        bytes[operation["name"]] = sizes[sizes.size() == 1 ? 0 : size]["received_bytes"];
    }
    return bytes;
}

TEST(BenchComm, counts_what_the_operations_receive) {
    const json found = figures(4, {"--sizes=4KiB,1000"});

    EXPECT_EQ(found["ranks"], 4);
    EXPECT_EQ(found["group"], 4);
    EXPECT_EQ(found["backend"], "mpi");
    // 250 elements: parts of 63, 63, 62 and 62. The rank with the most counts.
    EXPECT_THAT(received(found, 0),
                ElementsAre(std::pair("all-gather", (250 - 62) * 4),
                            std::pair("all-reduce", (3 * 63 + 250 - 63) * 4),
                            std::pair("all-to-all", 3 * 63 * 4),
                            std::pair("barrier", 3),
                            std::pair("broadcast", 1000),
                            std::pair("reduce-scatter", 3 * 63 * 4),
                            std::pair("rotate", 1000)));
    EXPECT_THAT(received(found, 1),
                ElementsAre(std::pair("all-gather", 4096 * 3 / 4),
                            std::pair("all-reduce", 2 * 4096 * 3 / 4),
                            std::pair("all-to-all", 4096 * 3 / 4),
                            std::pair("barrier", 3),
                            std::pair("broadcast", 4096),
                            std::pair("reduce-scatter", 4096 * 3 / 4),
                            std::pair("rotate", 4096)));
}

TEST(BenchComm, groups_are_runs_of_ranks) {
    const json found = figures(4, {"--sizes=8KiB", "--group=2", "--dtype=bfloat16"});

    EXPECT_EQ(found["group"], 2);
    EXPECT_EQ(found["dtype"], "bfloat16");
    EXPECT_EQ(received(found, 0)["all-gather"], 8192 / 2);
    EXPECT_EQ(received(found, 0)["all-reduce"], 8192);
    EXPECT_EQ(received(found, 0)["barrier"], 1);
}

TEST(BenchComm, rates_are_bytes_over_the_median_time) {
    const json found = figures(2, {"--sizes=64KiB"});

    for (const json& operation : found["operations"]) {
        const json& figure = operation["sizes"][0];
        EXPECT_LE(figure["seconds"]["minimum"], figure["seconds"]["median"]);
        EXPECT_LE(figure["seconds"]["median"], figure["seconds"]["maximum"]);
        EXPECT_EQ(operation["latency_seconds"], figure["seconds"]["median"]);
        EXPECT_NEAR(
            figure["gb_per_second"].get<double>() * figure["seconds"]["median"].get<double>() * 1e9,
            figure["received_bytes"].get<double>(),
            0.5);
    }
    for (const char* link : {"exchange", "copy"}) {
        EXPECT_EQ(found["link"][link]["sizes"][0]["received_bytes"], 65536) << link;
    }
}

TEST(BenchComm, a_rank_alone_receives_nothing) {
    const json found = figures(1, {"--sizes=4KiB"});

    EXPECT_EQ(found["backend"], "none");
    for (const auto& [operation, bytes] : received(found, 0)) {
        EXPECT_EQ(bytes, 0) << operation;
    }
    EXPECT_THAT(found["link"]["exchange"]["sizes"], SizeIs(0));
    EXPECT_THAT(found["link"]["copy"]["sizes"], SizeIs(1));
}

TEST(BenchComm, prints_a_table_for_people) {
    const Outcome outcome =
        run_program({"bench", "comm", "--device=cpu", "--sizes=4KiB", "--repetitions=1"}, 2);

    EXPECT_EQ(outcome.exit_code, 0);
    for (const char* text : {"2 ranks on 1 node, groups of 2; float32 on cpu, messages over mpi",
                             "all-reduce",
                             "all-gather",
                             "reduce-scatter",
                             "all-to-all",
                             "broadcast",
                             "rotate",
                             "barrier",
                             "what the link can do",
                             "latency at 4.00 KiB"}) {
        EXPECT_THAT(outcome.output, HasSubstr(text));
    }
}

TEST(BenchComm, a_bad_option_ends_all_ranks_with_one_message) {
    const Outcome outcome = run_program({"bench", "comm", "--group=2"}, 3);

    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.output,
                HasSubstr("bench comm: --group is 2 with 3 ranks (expected a divisor"));
}

TEST(BenchComm, nccl_without_gpus_is_refused) {
    const Outcome outcome = run_program({"bench", "comm", "--device=cpu", "--backend=nccl"}, 2);

    EXPECT_EQ(outcome.exit_code, 4);
    EXPECT_THAT(outcome.output, HasSubstr("backend: 'nccl', but"));
}

}  // namespace
}  // namespace reelyard::cli
