#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "reelyard/base/checksum.hpp"

#include "support/program.hpp"

// `reelyard run` where several ranks make one video: what becomes of its latent and its file.
namespace reelyard::cli {
namespace {

namespace fs = std::filesystem;
using parity::Outcome;
using parity::run_program;
using testing::HasSubstr;
using testing::Not;

class GroupRun : public testing::Test {
protected:
    GroupRun() {
        const Outcome imported = run_program(
            {"import", REELYARD_JOBS "/demo/wan-shapes", "-o", store().string(), "--quiet"});
        EXPECT_EQ(imported.exit_code, 0) << imported.output;
        std::ofstream(prompts())
            << R"({"id": "a", "prompt": "a large red circle moving left on a black background"})"
            << '\n';
    }

    [[nodiscard]] fs::path store() const { return scratch_.path() / "demo.h5"; }
    [[nodiscard]] fs::path prompts() const { return scratch_.path() / "prompts.jsonl"; }
    [[nodiscard]] fs::path out() const { return scratch_.path() / "out"; }

    [[nodiscard]] Outcome run(int ranks, const std::vector<std::string>& options) const {
        std::vector<std::string> arguments{"run",
                                           "--model.store=" + store().string(),
                                           "--model.dtype=float32",
                                           "--prompts.file=" + prompts().string(),
                                           "--output.dir=" + out().string(),
                                           "--generate.size=48x80",
                                           "--generate.frames=9",
                                           "--generate.steps=2"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return run_program(arguments, ranks);
    }

    /// The video's files with their checksums.
    [[nodiscard]] std::map<std::string, std::string> video() const {
        std::map<std::string, std::string> files;
        for (const auto& entry : fs::recursive_directory_iterator(out() / "videos")) {
            if (entry.is_regular_file()) {
                files[entry.path().filename().string()] = file_checksum(entry.path());
            }
        }
        return files;
    }

    /// As if the run had been killed before it decoded.
    void forget_video() const {
        fs::remove_all(out() / "videos");
        fs::remove(out() / "manifest.jsonl");
    }

    parity::ScratchFolder scratch_;
};

TEST_F(GroupRun, latent_that_one_rank_left_becomes_the_same_file) {
    const std::vector<std::string> keep{"--output.latents=true"};
    const Outcome alone = run(1, keep);
    ASSERT_EQ(alone.exit_code, 0) << alone.output;
    const auto expected = video();
    for (const int ranks : {3, 8}) {
        SCOPED_TRACE(ranks);
        forget_video();

        const Outcome made = run(ranks, {keep.front(), "--parallel.ring=" + std::to_string(ranks)});

        ASSERT_EQ(made.exit_code, 0) << made.output;
        EXPECT_THAT(made.output, Not(HasSubstr("denoise")));
        EXPECT_EQ(video(), expected);
    }
}

TEST_F(GroupRun, video_that_cannot_be_opened_ends_the_job_on_all_ranks) {
    fs::create_directories(out());
    std::ofstream(out() / "videos") << "no folder";

    const Outcome refused = run(3, {"--parallel.ring=3"});

    EXPECT_EQ(refused.exit_code, 5) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("videos"));
}

TEST_F(GroupRun, video_that_cannot_get_its_name_ends_the_job_on_all_ranks) {
    fs::create_directories(out() / "videos" / "a.mp4" / "of someone else");

    const Outcome refused = run(3, {"--parallel.ring=3"});

    EXPECT_EQ(refused.exit_code, 5) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("a.mp4"));
}

}  // namespace
}  // namespace reelyard::cli
