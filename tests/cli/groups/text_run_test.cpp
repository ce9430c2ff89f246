#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "demo_job.hpp"
#include "support/fixture.hpp"

// `reelyard run` where no rank has the whole text encoder: the videos are those of one rank.
namespace reelyard::cli {
namespace {

namespace fs = std::filesystem;
using parity::Outcome;
using testing::AllOf;
using testing::HasSubstr;

class TextRun : public DemoJob {
protected:
    TextRun()
        : DemoJob({red_circle, "a blue square", "two small green triangles moving up"},
                  {"--output.latents=true",
                   "--generate.size=32x48",
                   "--generate.frames=5",
                   "--generate.steps=2"}) {}

    /// By prompt.
    [[nodiscard]] std::map<std::string, std::vector<double>> latents() const {
        std::map<std::string, std::vector<double>> found;
        for (const auto& entry : fs::directory_iterator(out() / "latents")) {
            found[entry.path().stem()] = parity::read_values(entry.path(), "latent").values;
        }
        return found;
    }
};

TEST_F(TextRun, slices_and_parts_encode_what_one_rank_does) {
    const Outcome alone = run(1, {});
    ASSERT_EQ(alone.exit_code, 0) << alone.output;
    const auto expected = latents();
    ASSERT_EQ(expected.size(), 3U);
    const std::vector<std::pair<int, std::vector<std::string>>> layouts{
        {3, {"--parallel.tensor=3", "--parallel.cfg=1"}},
        // Two groups and a rank that is left over.
        {5,
         {"--parallel.tensor=2", "--parallel.cfg=1", "--parallel.ring=1", "--parallel.ulysses=1"}},
        {3, {"--parallel.ring=3", "--parallel.cfg=1", "--parallel.shard_weights=true"}},
        {4, {"--parallel.tensor=2", "--parallel.cfg=2", "--parallel.shard_weights=true"}},
    };
    for (const auto& [ranks, options] : layouts) {
        SCOPED_TRACE(testing::PrintToString(options));

        const Outcome made = run(ranks, options);

        ASSERT_EQ(made.exit_code, 0) << made.output;
        EXPECT_THAT(made.output,
                    AllOf(HasSubstr("4 texts encoded"), HasSubstr("of weights used: 1.00 times")));
        for (const auto& [id, latent] : latents()) {
            EXPECT_LT(parity::deviation(latent, expected.at(id)).max, 1e-4) << id;
        }
        EXPECT_EQ(latents().size(), expected.size());
    }
}

TEST_F(TextRun, texts_that_are_there_are_not_encoded_again_whatever_the_ranks_share) {
    ASSERT_EQ(run(1, {}).exit_code, 0);
    const auto expected = latents();
    fs::remove_all(out());
    // A folder in the place of a video ends the job once the texts are encoded.
    fs::create_directories(out() / "videos" / "a.mp4" / "of someone else");
    const Outcome ended = go_on(2, {"--parallel.tensor=2"});
    ASSERT_NE(ended.exit_code, 0) << ended.output;
    fs::remove_all(out() / "videos");
    fs::remove_all(out() / "latents");

    const Outcome made = go_on(1, {});

    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(made.output, testing::Not(HasSubstr("encoded")));
    for (const auto& [id, latent] : latents()) {
        EXPECT_LT(parity::deviation(latent, expected.at(id)).max, 1e-4) << id;
    }
}

}  // namespace
}  // namespace reelyard::cli
