#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "reelyard/base/format.hpp"
#include "reelyard/report/run_record.hpp"
#include "reelyard/store/tensor_file.hpp"

#include "demo_job.hpp"

// `reelyard run` where several ranks make one video: what becomes of its latent and its file.
namespace reelyard::cli {
namespace {

namespace fs = std::filesystem;
using parity::Outcome;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

class GroupRun : public DemoJob {
protected:
    GroupRun() : GroupRun(std::vector<std::string>{red_circle}) {}
    explicit GroupRun(const std::vector<std::string>& prompts)
        : DemoJob(prompts, {"--generate.size=48x80", "--generate.frames=9", "--generate.steps=2"}) {
    }

    [[nodiscard]] at::Tensor frames() const {
        return store::read_tensors(out() / "frames" / "a.safetensors").at("frames");
    }

    [[nodiscard]] std::int64_t received_bytes() const {
        return report::read_run_record(out() / report::run_record_name).received_bytes;
    }

    /// As if the run had been killed before it decoded.
    void forget_video() const {
        fs::remove_all(out() / "videos");
        fs::remove(out() / "manifest.jsonl");
    }
};

class GroupRunOfSix : public GroupRun {
protected:
    GroupRunOfSix() : GroupRun(std::vector<std::string>(6, red_circle)) {}
};

TEST_F(GroupRun, latent_that_one_rank_left_becomes_the_same_file) {
    const std::vector<std::string> keep{"--output.latents=true"};
    const Outcome alone = run(1, keep);
    ASSERT_EQ(alone.exit_code, 0) << alone.output;
    const auto expected = videos();
    for (const int ranks : {3, 8}) {
        SCOPED_TRACE(ranks);
        forget_video();

        const Outcome made =
            go_on(ranks, {keep.front(), "--parallel.ring=" + std::to_string(ranks)});

        ASSERT_EQ(made.exit_code, 0) << made.output;
        EXPECT_THAT(made.output, Not(HasSubstr("denoise")));
        EXPECT_EQ(videos(), expected);
    }
}

TEST_F(GroupRunOfSix, ranks_without_a_place_decode_what_the_others_have_denoised) {
    const std::string group = "--parallel.ring=3";
    ASSERT_EQ(run(3, {group}).exit_code, 0);
    const auto expected = videos();
    ASSERT_EQ(expected.size(), 6U);
    for (const int ranks : {4, 5}) {
        SCOPED_TRACE(ranks);

        const Outcome made = run(ranks, {group});

        EXPECT_EQ(made.exit_code, 0) << made.output;
        EXPECT_THAT(made.output, HasSubstr(fmt::format("and {} to decode", ranks - 3)));
        EXPECT_THAT(made.output, ContainsRegex("spare ranks [0-9]+ % decoding [1-5]"));
        EXPECT_EQ(videos(), expected);
    }
}

TEST_F(GroupRun, both_branches_as_one_batch_give_the_same_video_and_fetch_weights_once) {
    const auto make = [&](const std::string& batch) {
        const Outcome made = run(2,
                                 {"--output.frames=true",
                                  "--parallel.ulysses=2",
                                  "--parallel.shard_weights=true",
                                  "--generate.sequence_batch=" + batch});
        EXPECT_EQ(made.exit_code, 0) << made.output;
        return std::pair{frames(), received_bytes()};
    };
    const auto [expected, received_by_two_passes] = make("false");

    const auto [found, received_by_one] = make("true");

    EXPECT_LT(at::max(at::abs(found - expected)).item<double>(), 1e-4);
    EXPECT_LT(received_by_one, received_by_two_passes * 3 / 4);
}

TEST_F(GroupRun, branches_on_ranks_of_their_own_leave_nothing_to_a_sequence_batch) {
    const Outcome made = run(2, {"--parallel.cfg=2", "--generate.sequence_batch=true"});

    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(made.output, HasSubstr("generate.sequence_batch is left out"));
}

TEST_F(GroupRun, sequence_batch_keeps_both_branches_on_a_rank_where_the_program_chooses) {
    const Outcome made = run(2, {"--parallel.goal=latency", "--generate.sequence_batch=true"});

    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(made.output, HasSubstr("ulysses 2"));
    EXPECT_THAT(made.output, Not(HasSubstr("left out")));
}

TEST_F(GroupRun, video_that_cannot_be_opened_ends_the_job_on_all_ranks) {
    fs::create_directories(out());
    std::ofstream(out() / "videos") << "no folder";

    const Outcome refused = go_on(3, {"--parallel.ring=3"});

    EXPECT_EQ(refused.exit_code, 5) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("videos"));
}

TEST_F(GroupRun, video_that_cannot_get_its_name_ends_the_job_on_all_ranks) {
    fs::create_directories(out() / "videos" / "a.mp4" / "of someone else");

    const Outcome refused = go_on(3, {"--parallel.ring=3"});

    EXPECT_EQ(refused.exit_code, 5) << refused.output;
    EXPECT_THAT(refused.output, HasSubstr("a.mp4"));
}

}  // namespace
}  // namespace reelyard::cli
