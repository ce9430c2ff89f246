#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>

#include "support/program.hpp"

// `reelyard scale`: one job on different numbers of ranks.
namespace reelyard::cli {
namespace {

namespace fs = std::filesystem;
using parity::Outcome;
using parity::run_program;
using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;

class Scale : public testing::Test {
protected:
    static void SetUpTestSuite() {
        model_ = std::make_unique<parity::ScratchFolder>();
        const Outcome imported =
            run_program({"import", REELYARD_JOBS "/demo/wan-shapes", "-o", store(), "--quiet"});
        ASSERT_EQ(imported.exit_code, 0) << imported.output;
    }
    static void TearDownTestSuite() { model_.reset(); }
    [[nodiscard]] static std::string store() { return (model_->path() / "m.h5").string(); }

    Scale() {
        std::ofstream(file("prompts.txt")) << "a large red circle\n";
        std::ofstream(file("job.ini"))
            << "[model]\nstore = " << store()
            << "\n[prompts]\nfile = prompts.txt\n[generate]\n"
               "negative_prompt =\nsize = 32x32\nframes = 5\nsteps = 2\n";
    }

    [[nodiscard]] std::string file(const std::string& name) const {
        return (scratch_.path() / name).string();
    }
    [[nodiscard]] Outcome scale(std::vector<std::string> options) const {
        std::vector<std::string> arguments{"scale",
                                           file("job.ini"),
                                           "--output=" + file("study"),
                                           "--launcher=" REELYARD_MPIRUN " -n {ranks}"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return run_program(arguments);
    }
    [[nodiscard]] static std::string content_of(const fs::path& path) {
        std::ifstream stream(path);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

    /// A line of scaling.csv, in fields; no layout here has a comma in its name.
    [[nodiscard]] std::vector<std::string> row_of(int ranks) const {
        std::ifstream table(file("study/scaling.csv"));
        const std::string begin = std::to_string(ranks) + ',';
        for (std::string line; std::getline(table, line);) {
            if (line.starts_with(begin)) {
                std::istringstream words(line);
                std::vector<std::string> fields;
                for (std::string field; std::getline(words, field, ',');) {
                    fields.push_back(field);
                }
                return fields;
            }
        }
        ADD_FAILURE() << "no row for " << ranks << " ranks";
        return std::vector<std::string>(field_count);
    }

    static constexpr std::size_t field_count = 14;
    static constexpr std::size_t layout_field = 2;
    static constexpr std::size_t device_field = 3;
    static constexpr std::size_t received_field = 11;

private:
    static inline std::unique_ptr<parity::ScratchFolder> model_;
    parity::ScratchFolder scratch_;
};

TEST_F(Scale, runs_the_job_on_each_number_of_ranks_and_compares_them) {
    const Outcome made = scale({"--ranks=1,2", "--parallel.ring={ranks}", "--quiet"});

    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(made.output,
                AllOf(ContainsRegex("\n +1  1 replica of 1 rank .* 100 % [^\n]*  measured\n"),
                      ContainsRegex("\n +2  1 replica of ring 2 [^\n]*  measured\n")));
    EXPECT_THAT(content_of(file("study/scaling.csv")),
                AllOf(HasSubstr("ranks,replicas,layout"),
                      HasSubstr("\n1,1,\"1 replica of 1 rank\""),
                      HasSubstr("\n2,1,\"1 replica of ring 2\"")));
    EXPECT_THAT(content_of(file("study/scaling.svg")), HasSubstr("</svg>"));
    EXPECT_TRUE(fs::exists(file("study/ranks-2/videos")));
}

TEST_F(Scale, a_run_that_is_finished_is_not_repeated) {
    ASSERT_EQ(scale({"--ranks=1", "--quiet"}).exit_code, 0);
    const auto made_at = fs::last_write_time(file("study/ranks-1/performance.json"));

    const Outcome again = scale({"--ranks=1,2", "--quiet"});

    EXPECT_EQ(again.exit_code, 0) << again.output;
    EXPECT_EQ(fs::last_write_time(file("study/ranks-1/performance.json")), made_at);
    EXPECT_THAT(again.output, ContainsRegex("\n +2  1 replica of [^\n]*  measured\n"));
}

TEST_F(Scale, a_run_that_fails_is_named_with_its_command) {
    const Outcome failed = scale({"--ranks=1", "--generate.steps=none"});

    EXPECT_EQ(failed.exit_code, 3) << failed.output;
    EXPECT_THAT(failed.output,
                AllOf(HasSubstr("'generate.steps' is 'none'"),
                      HasSubstr("the run on 1 rank ended with exit code"),
                      HasSubstr("'--generate.steps=none'")));
}

TEST_F(Scale, predicts_what_it_does_not_run_and_says_so) {
    const Outcome made = scale(
        {"--ranks=1", "--predict=2,4", "--ranks-per-node=4", "--parallel.ring={ranks}", "--quiet"});

    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(made.output,
                AllOf(ContainsRegex("\n +1  1 replica of 1 rank [^\n]*  measured\n"),
                      ContainsRegex("\n +2  1 replica of ring 2 [^\n]*  predicted\n"),
                      ContainsRegex("\n +4  1 replica of ring 4 [^\n]*  predicted\n")));
    EXPECT_EQ(row_of(1).back(), "measured");
    EXPECT_EQ(row_of(2).back(), "predicted");
    EXPECT_THAT(content_of(file("study/scaling.svg")), HasSubstr(">predicted</text>"));
    EXPECT_FALSE(fs::exists(file("study/ranks-2")));
}

TEST_F(Scale, predicts_the_layout_and_the_bytes_of_the_run_itself) {
    const std::string goal = "--parallel.goal=latency";
    ASSERT_EQ(scale({"--ranks=1", "--predict=2", "--ranks-per-node=2", goal, "--quiet"}).exit_code,
              0);
    const auto predicted = row_of(2);
    ASSERT_EQ(scale({"--ranks=1,2", goal, "--quiet"}).exit_code, 0);
    const auto measured = row_of(2);

    EXPECT_EQ(measured.back(), "measured");
    EXPECT_EQ(predicted.at(layout_field), measured.at(layout_field));
    // The ranks also agree on going on, with 4 bytes in each step.
    EXPECT_EQ(std::stol(predicted.at(received_field)) + 4, std::stol(measured.at(received_field)));
}

TEST_F(Scale, predicts_for_as_many_nodes_as_are_needed_of_a_file) {
    const Outcome made = scale({"--ranks=1",
                                "--predict=4",
                                "--topology=" REELYARD_TOPOLOGIES "/dual_socket_cpu.json",
                                "--parallel.ring={ranks}",
                                "--quiet"});

    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(made.output, ContainsRegex("\n +4  1 replica of ring 4 [^\n]*  predicted\n"));
}

TEST_F(Scale, without_a_word_on_the_network_nothing_is_predicted_for_several_nodes) {
    std::ofstream(file("node.json")) << R"({"nodes": [{"name": "any", "memory_gib": 8,
        "numa": [{"cores": "0-1", "memory_gib": 8}]}]})";

    const Outcome refused = scale({"--ranks=1", "--predict=4", "--topology=" + file("node.json")});

    EXPECT_EQ(refused.exit_code, 2) << refused.output;
    EXPECT_THAT(refused.output,
                AllOf(HasSubstr("4 ranks take 4 nodes of 1 rank"),
                      HasSubstr("node.json"),
                      HasSubstr("'network_gb_per_s'")));
    EXPECT_FALSE(fs::exists(file("study/ranks-1")));
    EXPECT_EQ(scale({"--ranks=1",
                     "--predict=4",
                     "--ranks-per-node=4",
                     "--topology=" + file("node.json"),
                     "--quiet"})
                  .exit_code,
              0);
}

TEST_F(Scale, cores_say_nothing_of_gpus_unless_told_how_they_compare) {
    // The runs have no GPU to take.
    ASSERT_EQ(::setenv("CUDA_VISIBLE_DEVICES", "", 1), 0);
    const std::string gpus = "--topology=" REELYARD_TOPOLOGIES "/h100x8_nvlink.json";

    const Outcome refused = scale({"--ranks=1", "--predict=8", gpus, "--quiet"});
    const Outcome made =
        scale({"--ranks=1", "--predict=8", gpus, "--compute-factor=100", "--quiet"});

    EXPECT_EQ(refused.exit_code, 2) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("--compute-factor"));
    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(made.output, ContainsRegex("\n +8  1 replica of [^\n]*  predicted\n"));
    EXPECT_EQ(row_of(8).at(device_field), "cuda");
}

TEST_F(Scale, what_cannot_be_predicted_is_refused_before_anything_runs) {
    const std::string node = R"({"name": "any", "memory_gib": 8,
        "numa": [{"cores": "0-1", "memory_gib": 8}]})";
    std::ofstream(file("two.json"))
        << R"({"network_gb_per_s": 10, "nodes": [)" << node << ',' << node << "]}";
    const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
        {{"--predict=4,2"}, "--predict is '4,2'"},
        {{"--predict=6", "--ranks-per-node=2", "--topology=" + file("two.json")}, "lists 2"},
        {{"--predict=2", "--ranks-per-node=2", "--parallel.ring=4"}, "a video takes 4 ranks"}};
    for (const auto& [options, message] : cases) {
        std::vector<std::string> arguments{"--ranks=1"};
        arguments.insert(arguments.end(), options.begin(), options.end());

        const Outcome refused = scale(arguments);

        EXPECT_EQ(refused.exit_code, 2) << refused.output;
        EXPECT_THAT(refused.output, HasSubstr(message));
        EXPECT_FALSE(fs::exists(file("study/ranks-1")));
    }
}

}  // namespace
}  // namespace reelyard::cli
