#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "reelyard/base/checksum.hpp"

#include "support/program.hpp"

// `reelyard run` and `reelyard eval` with weights that the ranks of a video share out.
namespace reelyard::cli {
namespace {

namespace fs = std::filesystem;
using parity::Outcome;
using parity::run_program;
using testing::HasSubstr;
using testing::Not;

class ShardedRun : public testing::Test {
protected:
    static void SetUpTestSuite() {
        const Outcome imported = run_program(
            {"import", REELYARD_JOBS "/demo/wan-shapes", "-o", store().string(), "--quiet"});
        ASSERT_EQ(imported.exit_code, 0) << imported.output;
    }
    static void TearDownTestSuite() { fs::remove(store()); }

    ShardedRun() {
        std::ofstream(prompts())
            << R"({"id": "a", "prompt": "a large red circle moving left on a black background"})"
               "\n"
               R"({"id": "b", "prompt": "a small blue square moving up on a white background"})"
               "\n";
    }

    static fs::path store() { return fs::path(testing::TempDir()) / "sharded_run_test_demo.h5"; }
    [[nodiscard]] fs::path prompts() const { return scratch_.path() / "prompts.jsonl"; }
    [[nodiscard]] fs::path out() const { return scratch_.path() / "out"; }

    /// From an empty folder.
    [[nodiscard]] Outcome run(int ranks, const std::vector<std::string>& options) const {
        fs::remove_all(out());
        std::vector<std::string> arguments{"run",
                                           "--model.store=" + store().string(),
                                           "--model.dtype=float32",
                                           "--prompts.file=" + prompts().string(),
                                           "--output.dir=" + out().string(),
                                           "--output.video=png",
                                           "--generate.size=48x64",
                                           "--generate.frames=5",
                                           "--generate.steps=2"};
        arguments.insert(arguments.end(), options.begin(), options.end());
        return run_program(arguments, ranks);
    }

    /// Every file of the videos with its checksum.
    [[nodiscard]] std::map<std::string, std::string> videos() const {
        std::map<std::string, std::string> files;
        for (const auto& entry : fs::recursive_directory_iterator(out() / "videos")) {
            if (entry.is_regular_file()) {
                files[fs::relative(entry.path(), out())] = file_checksum(entry.path());
            }
        }
        return files;
    }

    parity::ScratchFolder scratch_;
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
