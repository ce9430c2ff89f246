#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "support/program.hpp"

// `reelyard plan`: layouts for hardware that is not here.
namespace reelyard::cli {
namespace {

using nlohmann::json;
using parity::Outcome;
using parity::run_program;
using parity::ScratchFolder;
using testing::AllOf;
using testing::HasSubstr;

std::string topology(const std::string& name) {
    return REELYARD_SOURCE "/topologies/" + name + ".json";
}

/// Wan2.1-14B on eight nodes of eight H100.
std::vector<std::string> large(const std::vector<std::string>& more) {
    std::vector<std::string> arguments{
        "plan", "--model=wan-14b", "--topology=" + topology("h100x8_nvlink"), "--nodes=8"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
}

json planned(const std::vector<std::string>& arguments) {
    std::vector<std::string> with_json = arguments;
    with_json.emplace_back("--json");
    const Outcome outcome = run_program(with_json);
    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    return json::parse(outcome.output);
}

TEST(Plan, lays_one_video_over_64_gpus_with_ulysses_inside_the_nodes) {
    const json plan = planned(large({"--parallel.goal=latency", "--generate.size=1280x720"}));

    EXPECT_EQ(plan["ranks"], 64);
    EXPECT_EQ(plan["tokens"], 75600);
    EXPECT_EQ(plan["layout"],
              json({{"replicas", 1},
                    {"cfg", 2},
                    {"ring", 4},
                    {"ulysses", 8},
                    {"tensor", 1},
                    {"shard_weights", false}}));
    // 14.3 billion parameters of two bytes, and a VAE of 0.13 billion of four.
    EXPECT_NEAR(plan["memory"]["weight_bytes"].get<double>(), 29.2e9, 0.6e9);
    // UMT5-XXL: 5.68 billion parameters of two bytes.
    EXPECT_NEAR(plan["memory"]["text_encoder_bytes"].get<double>(), 11.36e9, 0.02e9);
    for (const json& route : plan["received_in_a_step"]["by_busiest_rank"]) {
        if (route["for"] == "ulysses") {
            EXPECT_EQ(route["over"], "nvlink");
        }
        if (route["for"] == "ring") {
            EXPECT_EQ(route["over"], "network");
            // As in docs/design/splits.md.
            EXPECT_NEAR(route["bytes"].get<double>(), 5.806e9, 1e6);
        }
    }
}

TEST(Plan, draws_the_grid_on_the_nodes) {
    const Outcome outcome = run_program({"plan",
                                         "--model=wan-1.3b",
                                         "--topology=" + topology("l20x4_pcie"),
                                         "--parallel.cfg=2",
                                         "--parallel.ulysses=2"});

    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_THAT(outcome.output,
                AllOf(HasSubstr("1 replica of cfg 2 x ulysses 2"),
                      HasSubstr("| gpu 0     | gpu 1     | gpu 2     | gpu 3     |"),
                      HasSubstr("| ulysses 0 | ulysses 1 | ulysses 0 | ulysses 1 |"),
                      HasSubstr("Received in a step")));
}

TEST(Plan, refuses_a_layout_that_cannot_be_with_others_that_can) {
    const Outcome outcome = run_program(large({"--parallel.ulysses=41"}));

    EXPECT_EQ(outcome.exit_code, 2);
    EXPECT_THAT(outcome.output,
                AllOf(HasSubstr("parallel.ulysses is 41"),
                      HasSubstr("nearest that work: 1 replica of ulysses 40")));
}

TEST(Plan, says_that_a_layout_does_not_fit_in_memory_and_what_would) {
    const Outcome outcome = run_program({"plan",
                                         "--model=wan-14b",
                                         "--model.dtype=float32",
                                         "--topology=" + topology("l20x4_pcie"),
                                         "--parallel.tensor=1"});

    EXPECT_EQ(outcome.exit_code, 4);
    EXPECT_THAT(outcome.output,
                AllOf(HasSubstr("does not fit in memory"), HasSubstr("nearest that work: ")));
}

TEST(Plan, counts_the_prompts_of_a_job) {
    const ScratchFolder scratch;
    const auto prompts = scratch.path() / "prompts.txt";
    std::ofstream(prompts) << "a cat\na dog\na cow\n";
    const Outcome outcome =
        run_program(large({"--prompts.file=" + prompts.string(), "--generate.guidance_scale=1"}));

    EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
    EXPECT_THAT(outcome.output,
                AllOf(HasSubstr("one branch a step"),
                      HasSubstr("3 videos on 64 ranks; 1 of 4 groups have no video")));
}

TEST(Plan, names_what_is_missing_or_unknown) {
    const auto refusal = [](const std::vector<std::string>& arguments) {
        const Outcome outcome = run_program(arguments);
        EXPECT_EQ(outcome.exit_code, 2) << outcome.output;
        return outcome.output;
    };

    EXPECT_THAT(refusal({"plan"}), HasSubstr("no model is named (expected a job file or"));
    EXPECT_THAT(refusal({"plan", "--model=sora"}), HasSubstr("expected one of wan-1.3b, wan-14b"));
    EXPECT_THAT(refusal({"plan", "--model=wan-14b", "--parallel.ring=0"}),
                HasSubstr("'parallel.ring' is '0' (expected auto or a whole number from 1"));
}

/// A picture of the documentation: what follows "$ reelyard" and what it prints.
struct Shown {
    std::vector<std::string> arguments;
    std::string output;
};

std::vector<Shown> shown_in(const std::string& path) {
    std::vector<Shown> all;
    bool is_inside = false;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const std::string prompt = "$ reelyard ";
        if (line.starts_with(prompt)) {
            is_inside = true;
            std::istringstream words(line.substr(prompt.size()));
            all.push_back(
                {.arguments = {std::istream_iterator<std::string>(words), {}}, .output = {}});
        } else if (line == "```") {
            is_inside = false;
        } else if (is_inside) {
            all.back().output += line + '\n';
        }
    }
    return all;
}

TEST(Plan, prints_what_the_documentation_shows) {
    const std::vector<Shown> all = shown_in(REELYARD_SOURCE "/docs/user/layouts.md");

    EXPECT_GE(all.size(), 5U);
    for (const Shown& shown : all) {
        const Outcome outcome = run_program(shown.arguments, 1, "cd '" REELYARD_SOURCE "'; ");
        EXPECT_EQ(outcome.output, shown.output) << testing::PrintToString(shown.arguments);
    }
}

}  // namespace
}  // namespace reelyard::cli
