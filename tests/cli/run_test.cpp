#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "reelyard/base/checksum.hpp"
#include "reelyard/base/file_system.hpp"

#include "running_program.hpp"
#include "support/program.hpp"

// `reelyard run` as a user sees it: outputs, reruns, refusals, interruptions. The demo model makes
// small videos in a second.
namespace reelyard::cli {
namespace {

namespace fs = std::filesystem;
using parity::Outcome;
using parity::run_program;
using parity::ScratchFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* checkpoint = REELYARD_JOBS "/demo/wan-shapes";

class RunTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        const Outcome imported =
            run_program({"import", checkpoint, "-o", store().string(), "--quiet"});
        ASSERT_EQ(imported.exit_code, 0) << imported.output;
    }
    static void TearDownTestSuite() { fs::remove(store()); }

    static fs::path store() { return fs::path(testing::TempDir()) / "run_test_demo.h5"; }
    [[nodiscard]] fs::path out() const { return scratch_.path() / "out"; }

    void write_prompts(const std::vector<std::string>& lines) const {
        std::ofstream file(prompts());
        for (const std::string& line : lines) {
            file << line << '\n';
        }
    }
    [[nodiscard]] fs::path prompts() const { return scratch_.path() / "prompts.jsonl"; }

    /// The arguments of a short job with the demo model. Its settings stand in a job file, so that
    /// a prompt may have others.
    [[nodiscard]] std::vector<std::string> job(const std::vector<std::string>& more = {}) const {
        std::ofstream(scratch_.path() / "job.ini")
            << "[generate]\nnegative_prompt =\nsize = 64x48\nframes = 5\nsteps = 3\n";
        std::vector<std::string> arguments{"run",
                                           "--model.store=" + store().string(),
                                           "--model.dtype=float32",
                                           "--prompts.file=" + prompts().string(),
                                           "--output.dir=" + out().string(),
                                           (scratch_.path() / "job.ini").string()};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return arguments;
    }

    [[nodiscard]] std::map<std::string, nlohmann::json> manifest() const {
        std::map<std::string, nlohmann::json> records;
        std::ifstream file(out() / "manifest.jsonl");
        for (std::string line; std::getline(file, line);) {
            const auto record = nlohmann::json::parse(line);
            records[record.at("id")] = record;
        }
        return records;
    }

    /// Every file below the videos' folder with its checksum.
    [[nodiscard]] std::map<std::string, std::string> videos() const {
        std::map<std::string, std::string> found;
        for (const auto& entry : fs::recursive_directory_iterator(out() / "videos")) {
            if (entry.is_regular_file()) {
                found[entry.path().filename().string()] = file_checksum(entry.path());
            }
        }
        return found;
    }

    ScratchFolder scratch_;
};

std::string prompt(const std::string& id, const std::string& more = "") {
    return R"({"id": ")" + id +
           R"(", "prompt": "a large red circle moving left on a black background")" + more + "}";
}

TEST_F(RunTest, same_bits_and_every_weight_byte_once_at_any_number_of_ranks) {
    write_prompts(
        {prompt("a"), prompt("b", R"(, "seed": 7)"), prompt("c", R"(, "frames": 9)"), prompt("d")});
    std::map<std::string, std::string> expected;
    for (const int ranks : {1, 2, 3, 4}) {
        fs::remove_all(out());

        const Outcome made = run_program(job(), ranks);

        ASSERT_EQ(made.exit_code, 0) << made.output;
        EXPECT_THAT(made.output, HasSubstr("of weights used: 1.00 times")) << ranks << " ranks";
        expected = expected.empty() ? videos() : expected;
        EXPECT_EQ(videos(), expected) << ranks << " ranks";
    }
    EXPECT_EQ(expected.size(), 4U);
}

TEST_F(RunTest, number_of_threads_does_not_change_a_bit) {
    write_prompts({prompt("a")});
    std::vector<std::map<std::string, std::string>> found;
    for (const char* threads : {"1", "2", "3"}) {
        fs::remove_all(out());
        setenv("OMP_NUM_THREADS", threads, 1);
        ASSERT_EQ(run_program(job()).exit_code, 0);
        found.push_back(videos());
    }
    unsetenv("OMP_NUM_THREADS");

    EXPECT_EQ(found[0], found[1]);
    EXPECT_EQ(found[0], found[2]);
}

TEST_F(RunTest, rerun_makes_only_what_is_missing_and_the_same_again) {
    write_prompts({prompt("a"), prompt("b", R"(, "seed": 7)")});
    ASSERT_EQ(run_program(job(), 2).exit_code, 0);
    const auto expected = videos();
    fs::remove(out() / "videos" / "b.mp4");

    const Outcome again = run_program(job());

    EXPECT_EQ(again.exit_code, 0) << again.output;
    EXPECT_THAT(again.output, HasSubstr("1 of 2 prompts to make"));
    EXPECT_EQ(videos(), expected);
    EXPECT_THAT(run_program(job()).output, HasSubstr("0 of 2 prompts to make"));
}

TEST_F(RunTest, list_may_grow_between_runs) {
    write_prompts({prompt("a")});
    ASSERT_EQ(run_program(job()).exit_code, 0);
    write_prompts({prompt("a"), prompt("b")});

    const Outcome more = run_program(job());

    EXPECT_EQ(more.exit_code, 0) << more.output;
    EXPECT_THAT(more.output, HasSubstr("1 of 2 prompts to make"));
    EXPECT_EQ(videos().size(), 2U);
}

TEST_F(RunTest, folder_of_another_job_is_refused_with_the_first_difference) {
    write_prompts({R"({"prompt": "a large red circle moving left on a black background"})"});
    ASSERT_EQ(run_program(job()).exit_code, 0);
    const auto before = videos();

    const Outcome other = run_program(job({"--generate.steps=4"}));

    EXPECT_EQ(other.exit_code, 3);
    EXPECT_THAT(
        other.output,
        AllOf(
            HasSubstr("generate.steps"), HasSubstr("3"), HasSubstr("4"), HasSubstr("output.dir")));
    EXPECT_EQ(videos(), before);
}

TEST_F(RunTest, every_bad_line_is_reported_at_once_and_nothing_is_made) {
    write_prompts({prompt("a", R"(, "frames": 80)"),
                   prompt("b", R"(, "size": "100x64")"),
                   prompt("c.d"),
                   prompt("e", R"(, "stepz": 3)"),
                   prompt("f"),
                   prompt("f")});

    const Outcome refused = run_program(job(), 2);

    EXPECT_EQ(refused.exit_code, 3);
    const std::string file = prompts().string();
    EXPECT_THAT(refused.output, AllOf(HasSubstr(file + ":1"), HasSubstr("80"), HasSubstr("81")));
    EXPECT_THAT(refused.output,
                AllOf(HasSubstr(file + ":2"), HasSubstr("100"), HasSubstr("96"), HasSubstr("112")));
    EXPECT_THAT(refused.output, AllOf(HasSubstr(file + ":3"), HasSubstr("c.d")));
    EXPECT_THAT(refused.output,
                AllOf(HasSubstr(file + ":4"), HasSubstr("stepz"), HasSubstr("steps")));
    EXPECT_THAT(refused.output, HasSubstr(file + ":6"));
    EXPECT_THAT(refused.output, Not(HasSubstr("loaded in")));
    EXPECT_FALSE(fs::exists(out()));
}

TEST_F(RunTest, one_message_for_all_ranks) {
    write_prompts({prompt("a")});
    auto arguments = job();
    arguments[1] = "--model.store=" + (scratch_.path() / "none.h5").string();

    const Outcome refused = run_program(arguments, 3);

    EXPECT_EQ(refused.exit_code, 3);
    const std::string message = "reelyard: error: ";
    const auto first = refused.output.find(message);
    ASSERT_NE(first, std::string::npos) << refused.output;
    EXPECT_EQ(refused.output.find(message, first + 1), std::string::npos) << refused.output;
}

TEST_F(RunTest, prompt_that_fails_is_recorded_and_the_others_are_made) {
    // Noise of this size alone needs more memory than the shell allows the program.
    write_prompts(
        {prompt("huge", R"(, "size": "16000x16000", "frames": 2001)"), prompt("a"), prompt("b")});
    const std::string limited = "ulimit -v 12000000; ";

    const Outcome made = run_program(job(), 1, limited);

    EXPECT_EQ(made.exit_code, 1) << made.output;
    EXPECT_THAT(made.output, HasSubstr("'huge' failed"));
    const auto records = manifest();
    EXPECT_EQ(records.at("huge").at("state"), "failed");
    EXPECT_THAT(records.at("huge").at("reason").get<std::string>(), HasSubstr("out of memory"));
    EXPECT_EQ(records.at("a").at("state"), "done");
    EXPECT_EQ(videos().size(), 2U);
}

TEST_F(RunTest, latents_and_frames_are_written_when_asked) {
    write_prompts({prompt("a")});
    auto arguments = job();
    arguments.insert(arguments.end(),
                     {"--output.latents=true", "--output.frames=true", "--output.video=png"});

    const Outcome made = run_program(arguments);

    ASSERT_EQ(made.exit_code, 0) << made.output;
    EXPECT_TRUE(fs::exists(out() / "latents" / "a.safetensors"));
    EXPECT_TRUE(fs::exists(out() / "frames" / "a.safetensors"));
    EXPECT_EQ(videos().size(), 5U);  // one picture per frame
    const auto files = manifest().at("a").at("files");
    EXPECT_TRUE(files.contains("latents/a.safetensors"));
    EXPECT_EQ(files.at("frames/a.safetensors").at("checksum"),
              file_checksum(out() / "frames" / "a.safetensors"));
}

TEST_F(RunTest, nothing_but_outputs_stays_when_all_is_done) {
    write_prompts({prompt("a")});

    ASSERT_EQ(run_program(job(), 2).exit_code, 0);

    auto names = posix_file_system().list(out());
    std::erase(names, "run.lock");
    EXPECT_EQ(
        names,
        (std::vector<std::string>{"job.json", "manifest.jsonl", "performance.json", "videos"}));
}

TEST_F(RunTest, asked_to_stop_it_ends_with_75_and_a_rerun_completes_the_job) {
    write_prompts({prompt("a"), prompt("b", R"(, "seed": 7, "steps": 1000)")});
    {
        RunningProgram running(parity::command_line(job()));
        ASSERT_TRUE(running.wait_until([&] { return fs::exists(out() / "conditioning"); }));
        running.signal(SIGTERM);
        EXPECT_EQ(running.wait(), 75);
    }

    const Outcome again = run_program(job(), 2);

    EXPECT_EQ(again.exit_code, 0) << again.output;
    EXPECT_EQ(videos().size(), 2U);
}

TEST_F(RunTest, killed_at_any_moment_it_loses_no_finished_video) {
    std::vector<std::string> lines;
    for (int i = 0; i < 6; ++i) {
        lines.push_back(prompt("p" + std::to_string(i), R"(, "seed": )" + std::to_string(i)));
    }
    write_prompts(lines);
    ASSERT_EQ(run_program(job(), 2).exit_code, 0);
    const auto expected = videos();
    fs::remove_all(out());

    for (const std::size_t enough : {1U, 3U, 5U}) {
        RunningProgram running(parity::command_line(job(), 2));
        (void)running.wait_until([&] { return manifest().size() >= enough; });
        running.signal(SIGKILL);
        (void)running.wait();
        for (const auto& [name, checksum] : videos()) {
            if (!name.starts_with('.')) {
                EXPECT_EQ(checksum, expected.at(name));
            }
        }
    }
    const Outcome last = run_program(job(), 2);

    EXPECT_EQ(last.exit_code, 0) << last.output;
    EXPECT_EQ(videos(), expected);
}

TEST_F(RunTest, second_run_in_the_same_folder_is_refused) {
    write_prompts({prompt("a", R"(, "steps": 1000, "size": "256x256")")});
    RunningProgram first(parity::command_line(job()));
    ASSERT_TRUE(first.wait_until([&] { return fs::exists(out() / "job.json"); }));

    const Outcome second = run_program(job());

    EXPECT_EQ(second.exit_code, 4);
    EXPECT_THAT(second.output, HasSubstr(out().string()));
}

TEST_F(RunTest, help_names_every_section_and_wrong_options_are_refused) {
    const Outcome help = run_program({"run", "--help"}, 2);
    EXPECT_EQ(help.exit_code, 0);
    for (const char* key :
         {"model.store", "prompts.file", "generate.steps", "decode.tiling", "output.dir"}) {
        EXPECT_THAT(help.output, HasSubstr(key));
    }
    EXPECT_EQ(help.output.find("usage"), help.output.rfind("usage"))
        << "printed by more than one rank";

    const Outcome wrong = run_program({"run", "--generate.stepz", "3"});
    EXPECT_EQ(wrong.exit_code, 2);
    EXPECT_THAT(wrong.output, AllOf(HasSubstr("generate.stepz"), HasSubstr("generate.steps")));
}

TEST_F(RunTest, corrupt_store_is_an_input_error) {
    write_prompts({prompt("a")});
    const fs::path broken = scratch_.path() / "broken.h5";
    fs::copy_file(store(), broken);
    fs::resize_file(broken, fs::file_size(broken) / 2);
    auto arguments = job();
    arguments[1] = "--model.store=" + broken.string();

    const Outcome refused = run_program(arguments, 2);

    EXPECT_EQ(refused.exit_code, 3) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr(broken.string()));
}

}  // namespace
}  // namespace reelyard::cli
