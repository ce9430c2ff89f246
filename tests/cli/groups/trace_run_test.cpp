#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "../running_program.hpp"
#include "demo_job.hpp"

// `reelyard run --log.trace`: the file that it leaves.
namespace reelyard::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using parity::Outcome;
using testing::Contains;
using testing::HasSubstr;
using testing::IsSupersetOf;

class TraceRun : public DemoJob {
protected:
    TraceRun() : DemoJob({red_circle}, {"--generate.size=48x64", "--generate.frames=5"}) {}

    [[nodiscard]] fs::path trace() const { return scratch_.path() / "traces" / "trace.json"; }

    /// What the file holds.
    struct Content {
        std::set<std::string> rows;                       ///< "rank 0 on node: compute"
        std::map<int, std::multiset<std::string>> names;  ///< of what took time, by rank
    };

    [[nodiscard]] Content read_trace() const {
        std::ifstream file(trace());
        const json whole = json::parse(file);
        Content content;
        std::map<int, std::string> processes;
        for (const json& event : whole.at("traceEvents")) {
            const int rank = event.at("pid");
            if (event.at("name") == "process_name") {
                processes[rank] = event.at("args").at("name");
            } else if (event.at("name") == "thread_name") {
                content.rows.insert(processes.at(rank).substr(0, 6) + ": " +
                                    event.at("args").at("name").get<std::string>());
            } else if (event.at("ph") == "X") {
                EXPECT_GE(event.at("ts").get<double>(), 0.0);
                EXPECT_GE(event.at("dur").get<double>(), 0.0);
                content.names[rank].insert(event.at("name").get<std::string>());
            }
        }
        EXPECT_EQ(whole.at("otherData").at("dropped_events"), 0);
        return content;
    }
};

TEST_F(TraceRun, shows_stages_steps_and_exchanges_of_every_rank) {
    const Outcome made = parity::run_program(arguments({"--generate.steps=3",
                                                        "--parallel.cfg=1",
                                                        "--parallel.ring=2",
                                                        "--parallel.shard_weights=true",
                                                        "--log.trace=" + trace().string()}),
                                             2);

    ASSERT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(made.output, HasSubstr("trace: " + trace().string()));
    EXPECT_THAT(made.output, HasSubstr("hidden behind compute"));
    const Content content = read_trace();
    EXPECT_EQ(content.rows,
              (std::set<std::string>{"rank 0: compute",
                                     "rank 0: ring group of replica 0",
                                     "rank 0: sequence group of replica 0",
                                     "rank 0: shards group of replica 0",
                                     "rank 0: video group of replica 0",
                                     "rank 1: compute",
                                     "rank 1: ring group of replica 0",
                                     "rank 1: sequence group of replica 0",
                                     "rank 1: shards group of replica 0",
                                     "rank 1: video group of replica 0"}));
    ASSERT_EQ(content.names.size(), 2U);
    for (const auto& [rank, names] : content.names) {
        EXPECT_THAT(names,
                    IsSupersetOf({"load text_encoder",
                                  "load transformer",
                                  "load vae",
                                  "texts",
                                  "denoise a",
                                  "step 1",
                                  "step 2",
                                  "step 3",
                                  "velocity",
                                  "block 0",
                                  "self attention",
                                  "cross attention",
                                  "feed-forward",
                                  "ring rotate",
                                  "shards all-gather",
                                  "wait",
                                  "decode a"}));
        EXPECT_EQ(names.count("step 3"), 1U);
    }
}

TEST_F(TraceRun, is_there_when_the_run_is_stopped_by_a_signal) {
    RunningProgram running(parity::command_line(
        arguments({"--generate.steps=1000", "--log.trace=" + trace().string()}), 1));
    ASSERT_TRUE(running.wait_until([&] { return fs::exists(out() / "conditioning"); }));
    running.signal(SIGTERM);
    EXPECT_EQ(running.wait(), 75);

    const Content content = read_trace();

    EXPECT_THAT(content.names.at(0), Contains("load text_encoder"));
    EXPECT_EQ(content.names.at(0).count("step 1000"), 0U);
}

TEST_F(TraceRun, where_nothing_is_exchanged_says_so) {
    const Outcome made = parity::run_program(
        arguments({"--generate.steps=1", "--log.trace=" + trace().string()}), 1);

    ASSERT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(made.output, HasSubstr("exchange: none"));
    EXPECT_EQ(read_trace().rows, (std::set<std::string>{"rank 0: compute"}));
}

TEST_F(TraceRun, may_lie_in_the_output_folder) {
    const fs::path path = out() / "trace.json";
    for (int time = 0; time < 2; ++time) {  // the second finds nothing to do
        const Outcome made = parity::run_program(
            arguments({"--generate.steps=1", "--log.trace=" + path.string()}), 2);

        ASSERT_EQ(made.exit_code, 0) << made.output;
        std::ifstream file(path);
        EXPECT_FALSE(json::parse(file).at("traceEvents").empty());
    }
}

TEST_F(TraceRun, path_that_cannot_be_is_refused_before_anything_is_loaded) {
    const auto refused = [&](const fs::path& path) {
        return parity::run_program(arguments({"--log.trace=" + path.string()}), 2);
    };

    const Outcome folder = refused(scratch_.path());
    const Outcome below_file = refused(prompt_list() / "trace.json");

    EXPECT_EQ(folder.exit_code, 2) << folder.output;
    EXPECT_THAT(folder.output, HasSubstr("log.trace"));
    EXPECT_THAT(folder.output, HasSubstr(scratch_.path().string()));
    EXPECT_EQ(below_file.exit_code, 5) << below_file.output;
    EXPECT_THAT(below_file.output, HasSubstr("log.trace"));
    EXPECT_THAT(below_file.output, HasSubstr(prompt_list().string()));
    EXPECT_FALSE(fs::exists(out()));
}

TEST_F(TraceRun, failed_job_leaves_no_file_behind) {
    std::ofstream(prompt_list()) << "no JSON\n";

    const Outcome failed = parity::run_program(arguments({"--log.trace=" + trace().string()}), 2);

    EXPECT_EQ(failed.exit_code, 3) << failed.output;
    EXPECT_TRUE(fs::is_empty(trace().parent_path()));
}

}  // namespace
}  // namespace reelyard::cli
