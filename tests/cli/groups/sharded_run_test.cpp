#include <string>
#include <utility>
#include <vector>

#include "demo_job.hpp"

// `reelyard run` and `reelyard eval` with weights that the ranks of a video share out.
namespace reelyard::cli {
namespace {

using parity::Outcome;
using testing::HasSubstr;
using testing::Not;

class ShardedRun : public DemoJob {
protected:
    ShardedRun()
        : DemoJob({red_circle, "a small blue square moving up on a white background"},
                  {"--output.video=png",
                   "--generate.size=48x64",
                   "--generate.frames=5",
                   "--generate.steps=2"}) {}
};

TEST_F(ShardedRun, makes_the_same_bits_as_whole_weights_and_reads_every_byte_once) {
    const std::vector<std::pair<int, std::vector<std::string>>> layouts{
        {4,
         {"--parallel.cfg=2", "--parallel.ulysses=2", "--parallel.ring=1", "--parallel.tensor=1"}},
        // Two replicas that have the same parts, and one rank that is left over.
        {5,
         {"--parallel.cfg=1", "--parallel.ulysses=1", "--parallel.ring=2", "--parallel.tensor=1"}},
        {5,
         {"--parallel.cfg=1", "--parallel.ulysses=1", "--parallel.ring=2", "--parallel.tensor=2"}},
    };
    for (auto [ranks, options] : layouts) {
        const Outcome whole = run(ranks, options);
        ASSERT_EQ(whole.exit_code, 0) << whole.output;
        EXPECT_THAT(whole.output, HasSubstr("of weights used: 1.00 times"));
        const auto expected = videos();
        options.emplace_back("--parallel.shard_weights=true");

        const Outcome sharded = run(ranks, options);

        ASSERT_EQ(sharded.exit_code, 0) << sharded.output;
        EXPECT_THAT(sharded.output, HasSubstr("weights sharded"));
        EXPECT_THAT(sharded.output, HasSubstr("of weights used: 1.00 times"));
        EXPECT_EQ(videos(), expected) << ranks << " ranks, " << options[2];
        EXPECT_EQ(expected.size(), 10U);
    }
}

TEST_F(ShardedRun, goes_on_with_whole_weights_where_nothing_can_be_shared) {
    const Outcome made = run(1, {"--parallel.shard_weights=true"});

    EXPECT_EQ(made.exit_code, 0) << made.output;
    EXPECT_THAT(made.output, HasSubstr("parallel.shard_weights: no two ranks"));
    EXPECT_THAT(made.output, Not(HasSubstr("weights sharded")));
}

TEST_F(ShardedRun, a_value_that_is_no_choice_is_refused) {
    const Outcome refused = run(1, {"--parallel.shard_weights=maybe"});

    EXPECT_EQ(refused.exit_code, 2);
    EXPECT_THAT(refused.output, HasSubstr("parallel.shard_weights"));
    EXPECT_THAT(refused.output, HasSubstr("true or false"));
}

}  // namespace
}  // namespace reelyard::cli
