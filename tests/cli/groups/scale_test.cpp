#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
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
    Scale() {
        const Outcome imported = run_program(
            {"import", REELYARD_JOBS "/demo/wan-shapes", "-o", file("m.h5"), "--quiet"});
        EXPECT_EQ(imported.exit_code, 0) << imported.output;
        std::ofstream(file("prompts.txt")) << "a large red circle\n";
        std::ofstream(file("job.ini"))
            << "[model]\nstore = m.h5\n[prompts]\nfile = prompts.txt\n[generate]\n"
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

private:
    parity::ScratchFolder scratch_;
};

TEST_F(Scale, runs_the_job_on_each_number_of_ranks_and_compares_them) {
    const Outcome made = scale({"--ranks=1,2", "--parallel.ring={ranks}", "--quiet"});

    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(made.output,
                AllOf(ContainsRegex("\n +1  1 replica of 1 rank .* 100 %"),
                      ContainsRegex("\n +2  1 replica of ring 2 ")));
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
    EXPECT_THAT(again.output, ContainsRegex("\n +2  2 replicas of 1 rank"));
}

TEST_F(Scale, a_run_that_fails_is_named_with_its_command) {
    const Outcome failed = scale({"--ranks=1", "--generate.steps=none"});

    EXPECT_EQ(failed.exit_code, 3) << failed.output;
    EXPECT_THAT(failed.output,
                AllOf(HasSubstr("'generate.steps' is 'none'"),
                      HasSubstr("the run on 1 rank ended with exit code"),
                      HasSubstr("'--generate.steps=none'")));
}

TEST_F(Scale, numbers_of_ranks_that_do_not_ascend_are_refused) {
    for (const std::string ranks : {"", "0", "2,1", "1,x", "1,,2"}) {
        const Outcome refused = scale({"--ranks=" + ranks});

        EXPECT_EQ(refused.exit_code, 2) << refused.output;
        EXPECT_THAT(refused.output, HasSubstr("--ranks"));
    }
}

}  // namespace
}  // namespace reelyard::cli
